//! The less common operators and plugins, one or a few queries for each.

#![allow(clippy::unwrap_used, reason = "a test that fails may panic")]

mod common;

use common::of;
use rulec_facts::tables::Environment;

const PAIRS: &str = "datatable(s:string, t:string, n:long)['a', 'x', 1, 'b', 'y', 5, 'a', 'y', 3]";

#[test]
fn values_become_columns_and_columns_values() {
    assert_eq!(
        of(&format!("{PAIRS} | evaluate pivot(t, sum(n))")),
        ["s|x|y", "a|1|3", "b|0|5"]
    );
    assert_eq!(
        of(&format!("{PAIRS} | evaluate pivot(t, count(), s) | project s, x")),
        ["s|x", "a|1", "b|0"]
    );
    assert_eq!(
        of(
            "datatable(d:dynamic, x:long)[dynamic({'a':1,'b':'q'}), 1, dynamic({'a':2.5}), 2]
            | evaluate bag_unpack(d, 'p_') | where p_a > 2 | project p_a, x, p_b"
        ),
        ["p_a|x|p_b", "2.5|2|"]
    );
    assert_eq!(
        of("print s = 'a', n = 1 | evaluate narrow()"),
        ["Row|Column|Value", "0|s|a", "0|n|1"]
    );
    let clash = common::run(
        "print d = dynamic({'x': 1}), x = 2 | evaluate bag_unpack(d)",
        Environment::M365,
    );
    assert!(clash.is_err_and(|error| error.contains("`x` already")));
}

#[test]
fn text_is_taken_apart_by_keys() {
    assert_eq!(
        of("print s = 'name=John Doe phone=555 5555 city=New York'
            | parse-kv s as (name:string, phone:string, zip:long) with (pair_delimiter=' ', kv_delimiter='=', greedy=true)
            | project name, phone, zip"),
        ["name|phone|zip", "John Doe|555 5555|"]
    );
}

#[test]
fn ranks_within_ranks() {
    assert_eq!(
        of("datatable(s:string, t:string, n:long)['a','x',1, 'b','y',5, 'a','z',3, 'c','x',9]
            | top-nested 1 of s with others='rest' by sum(n), top-nested 1 of t with others='o' by m=sum(n)/2"),
        ["s|aggregated_s|t|m", "c|9|x|4", "rest|9|o|4"]
    );
    assert_eq!(
        of(&format!("{PAIRS} | top-hitters 1 of s by n")),
        ["s|approximate_sum_n", "b|5"]
    );
    assert_eq!(of(&format!("{PAIRS} | sample-distinct 5 of s")), ["s", "a", "b"]);
}

#[test]
fn series() {
    let data = "datatable(t:datetime, k:string, n:long)
        [datetime(2020-01-01), 'a', 1, datetime(2020-01-03), 'a', 5, datetime(2020-01-02), 'b', 7]";
    assert_eq!(
        of(&format!(
            "{data} | make-series c=count(), s=sum(n) default=-1 on t from datetime(2020-01-01) to datetime(2020-01-04) step 1d by k | project-away t"
        )),
        ["k|c|s", "a|[1,0,1]|[1,-1,5]", "b|[0,1,0]|[-1,7,-1]"]
    );
    assert_eq!(
        of("range x from 1 to 10 step 1 | make-series sum(x) on x in range(1, 10, 3)"),
        ["sum_x|x", "[6,15,24,10]|[1,4,7,10]"]
    );
    let endless = common::run(
        "range x from 1 to 2 step 1 | make-series count() on x from 0 to 9223372036854775807 step 1",
        Environment::M365,
    );
    assert!(endless.is_err_and(|error| error.contains("bins")));
}

#[test]
fn parts_of_the_rows() {
    assert_eq!(
        of("range x from 1 to 6 step 1 | extend k = x % 2 | partition by k (top 1 by x)"),
        ["x|k", "5|1", "6|0"]
    );
    assert_eq!(
        of("range x from 1 to 6 step 1 | fork (where x > 5) (count)"),
        ["x", "6"]
    );
    assert_eq!(of("range x from 1 to 6 step 1 | consume"), [""]);
    assert_eq!(
        of("range x from 1 to 9 step 1 | serialize | evaluate rows_near(x == 5, 1)"),
        ["x", "4", "5", "6"]
    );
    assert_eq!(
        of(
            "range x from 1 to 4 step 1 | scan with_match_id=m declare (n:long) with (step s output=last: x != 3 => n = s.x;)"
        ),
        ["x|n|m", "4|2|0"]
    );
}

#[test]
fn tables_nobody_asked_for_by_name_may_be_missing() {
    assert_eq!(of("union * | count"), ["Count", "0"]);
    assert_eq!(of("search 'x' | count"), ["Count", "0"]);
    assert_eq!(of("union isfuzzy=true NoSuchTable, (print x = 1)"), ["x", "1"]);
    assert!(common::run("DeviceEvents | count", Environment::M365).is_err());
}

#[test]
fn conditions_of_joins() {
    let join = "datatable(x:long)[1, 2] | join kind=inner (print x = 1)";
    assert_eq!(of(&format!("{join} where $left.x == $right.x")), ["x|x1", "1|1"]);
    assert!(common::run(&format!("{join} where $left.x > $right.x"), Environment::M365).is_err());
}

#[test]
fn patterns_know_their_arguments() {
    assert_eq!(
        of("declare pattern app = (a:string)[s:string] { ('x').['y'] = { print a, s }; }; app('x').y"),
        ["print_0|print_1", "x|y"]
    );
}
