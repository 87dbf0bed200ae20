//! Functions that depend on more than their arguments: window functions, and
//! what only the binder or the runtime can answer.

rows! { ROWS: Function in context {
    window "row_number", [(; Long, Bool) -> Long], "The number of the row, from 1 or a start, anew where a condition holds.";
    window "row_cumsum", [(Number; Bool) -> First], "The sum so far, anew where a condition holds.";
    window "row_rank_dense", [(NotDynamic; Bool) -> Long], "How many different values came before, plus one.";
    window "row_rank_min", [(NotDynamic; Bool) -> Long], "The number of the first row with the same value.";
    window "row_rank" instead "row_rank_dense", [(NotDynamic; ConstBool) -> Long], "How many different values came before, plus one.";
    window "row_window_session", [(DateTime, TimeSpan, TimeSpan; Bool) -> First], "The start of the session that a row's time belongs to.";
    window "prev", [(Column; Long, ConstScalar) -> First], "The value of a column a number of rows before, or a default.";
    window "next", [(Column; Long, ConstScalar) -> First], "The value of a column a number of rows after, or a default.";
    context "ingestion_time" as Exactly("$IngestionTime") never constant, [() -> DateTime], "When the row came in.";
    context "new_guid" never constant, [() -> Guid], "A random guid.";
    context "column_ifexists" as FirstArgumentValue never constant, [(ConstText, Scalar) -> Second], "A column, or something else if there is no such column.";
    context "columnifexists" instead "column_ifexists" as FirstArgumentValue never constant, [(ConstText, Scalar) -> Second], "A column, or something else if there is no such column.";
    context "iscolumnexists" never constant, [(ConstText) -> Bool], "Whether there is a column.";
    context "__invoke" never constant, [(LiteralText, TypeOf .. Anything) -> Named], "A function of the service called by name, for its own use.";
    context "column_names_of", [(Table) -> Dynamic], "The names of a table's columns.";
    context "toscalar", [(Table) -> Unknown], "The first value of a table, as a constant.";
    context "current_cluster_endpoint" never constant, [() -> String], "The service that runs the query.";
    context "current_database" never constant, [() -> String], "The database that the query is about.";
    context "current_principal" never constant, [() -> String], "Who runs the query.";
    context "current_principal_details" never constant, [() -> Bag], "Who runs the query, in detail.";
    context "current_principal_is_member_of" never constant, [(TextOrArray .. TextOrArray to 64) -> Bool], "Whether who runs the query belongs to one of some groups.";
    context "current_node_id" never constant, [() -> String], "The machine that runs the query.";
    context "extent_id" never constant, [() -> Guid], "The storage unit that holds the row.";
    context "extentid" instead "extent_id" never constant, [() -> Guid], "The storage unit that holds the row.";
    context "extent_tags" never constant, [() -> Array], "The tags of the storage unit that holds the row.";
    context "row_id" never constant, [() -> String], "The service's own name for the row.";
    context "rowstore_ordinal_range" never constant, [() -> Dynamic], "Where the row lies in a row store.";
    context "cursor_after" never constant, [(Text) -> Bool], "Whether the row came in after a point in time.";
    context "cursor_before_or_at" never constant, [(Text) -> Bool], "Whether the row came in no later than a point in time.";
    context "cursor_current" never constant, [() -> String], "The point in time up to which there are rows.";
    context "current_cursor" instead "cursor_current" never constant, [() -> String], "The point in time up to which there are rows.";
}}

rows! { GRAPH: Function in context {
    graph "all" never constant, [(Scalar, Bool) -> Bool], "Whether a condition holds for all elements of a path.";
    graph "any" never constant, [(Scalar, Bool) -> Bool], "Whether a condition holds for an element of a path.";
    graph "map" never constant, [(Scalar, Scalar) -> Dynamic], "An expression for each element of a path.";
    graph "inner_nodes" never constant, [(Scalar) -> Dynamic], "The nodes inside a path.";
    graph "node_id" never constant, [(; Scalar) -> String], "The identity of a node.";
    graph "node_degree_in" never constant, [(; Scalar) -> Long], "How many edges lead to a node.";
    graph "node_degree_out" never constant, [(; Scalar) -> Long], "How many edges lead from a node.";
    graph "labels" never constant, [(; Scalar) -> Dynamic], "The labels of a node or edge.";
}}

rows! { TABULAR: Function in context {
    tabular "table" never constant, [(Text; Text) -> Unknown], "A table by its name.";
    tabular "external_table" never constant, [(Text; Text) -> Unknown, (Text, TimeSpan) -> Unknown], "A table whose data lies elsewhere.";
    tabular "materialized_view" never constant, [(Text; TimeSpan) -> Unknown], "A view that is kept up to date, or as old as is allowed.";
    tabular "stored_query_result" never constant, [(Text) -> Unknown, (Text, Long) -> Unknown, (Text, Text) -> Unknown], "What a query gave that was run before.";
    tabular "entity_group" never constant, [(Text) -> Unknown], "A stored group of tables.";
    tabular "graph" never constant, [(Text; Text) -> Unknown, (Text, Bool) -> Unknown], "A stored graph, or a snapshot of it.";
    tabular "cluster" never constant, [(Text) -> Unknown], "Another service by its address.";
    tabular "database" never constant, [(; Text) -> Unknown], "Another database, or the one the query is about.";
    tabular "materialize" never constant, [(Table) -> Unknown], "A table that is computed once for the whole query.";
    tabular "totable" never constant, [(Table) -> Unknown], "A table where one value is expected otherwise.";
}}
