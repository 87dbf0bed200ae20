//! Work on numbered pieces on all processors, with what comes of it taken in
//! their order.
//!
//! In: how many pieces there are, how to work on one, how to take a result.
//! Out: nothing but what taking them did. Few results wait for their turn: a
//! thread that is too far ahead waits, so what is held does not grow with the
//! number of pieces.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

/// Results that may wait for their turn, besides one a thread.
const AHEAD: usize = 2;

struct Queue<T> {
    /// The piece that is begun next.
    next: usize,
    /// The piece whose result is taken next.
    turn: usize,
    /// Results that came before their turn.
    waiting: BTreeMap<usize, T>,
    /// Whether somebody is taking results.
    taking: bool,
    stopped: bool,
}

struct Turns<'a, T, F> {
    queue: Mutex<Queue<T>>,
    moved: Condvar,
    take: Mutex<&'a mut F>,
    count: usize,
    ahead: usize,
}

/// Works on the pieces `0..count` and takes their results in order. `kept`
/// makes what each thread keeps from piece to piece. Nothing more is begun or
/// taken once `take` gives false.
pub(crate) fn in_order<K, T: Send, F: FnMut(T) -> bool + Send>(
    count: usize,
    kept: impl Fn() -> K + Sync,
    work: impl Fn(&mut K, usize) -> T + Sync,
    take: &mut F,
) {
    let threads = thread::available_parallelism().map_or(1, usize::from).min(count);
    on(threads, count, kept, work, take);
}

/// [`in_order`] for work that may fail. The first failure in the order of the
/// pieces, of the work or of `take`, is the one that is told, and ends it.
pub(crate) fn try_in_order<T: Send, E: Send>(
    count: usize,
    work: impl Fn(usize) -> Result<T, E> + Sync,
    take: &mut (dyn FnMut(T) -> Result<bool, E> + Send),
) -> Result<(), E> {
    let mut failure = None;
    let taken = &mut |result: Result<T, E>| {
        result.and_then(&mut *take).unwrap_or_else(|error| {
            failure = Some(error);
            false
        })
    };
    in_order(count, || (), |(), number| work(number), taken);
    failure.map_or(Ok(()), Err)
}

fn on<K, T: Send, F: FnMut(T) -> bool + Send>(
    threads: usize,
    count: usize,
    kept: impl Fn() -> K + Sync,
    work: impl Fn(&mut K, usize) -> T + Sync,
    take: &mut F,
) {
    if threads < 2 {
        let mut kept = kept();
        for number in 0..count {
            if !take(work(&mut kept, number)) {
                return;
            }
        }
        return;
    }
    let turns = Turns {
        queue: Mutex::new(Queue {
            next: 0,
            turn: 0,
            waiting: BTreeMap::new(),
            taking: false,
            stopped: false,
        }),
        moved: Condvar::new(),
        take: Mutex::new(take),
        count,
        ahead: threads + AHEAD,
    };
    let run = || {
        // A thread that panics must not leave the others waiting for its piece.
        let _guard = Guard(&turns);
        let mut kept = kept();
        while let Some(number) = turns.begin() {
            let result = work(&mut kept, number);
            turns.finish(number, result);
        }
    };
    thread::scope(|scope| {
        let others = (1..threads).map(|_| scope.spawn(run)).collect::<Vec<_>>();
        run();
        for other in others {
            if let Err(panic) = other.join() {
                std::panic::resume_unwind(panic);
            }
        }
    });
}

impl<T, F: FnMut(T) -> bool> Turns<'_, T, F> {
    fn queue(&self) -> MutexGuard<'_, Queue<T>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next piece to work on, when it may be begun.
    fn begin(&self) -> Option<usize> {
        let mut queue = self.queue();
        loop {
            if queue.stopped || queue.next >= self.count {
                return None;
            }
            if queue.next < queue.turn + self.ahead {
                queue.next += 1;
                return Some(queue.next - 1);
            }
            queue = self.moved.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Hands in the result of a piece, and takes all whose turn it is unless
    /// somebody else does.
    fn finish(&self, number: usize, result: T) {
        let mut queue = self.queue();
        queue.waiting.insert(number, result);
        if queue.taking {
            return;
        }
        queue.taking = true;
        while !queue.stopped {
            let turn = queue.turn;
            let Some(result) = queue.waiting.remove(&turn) else {
                break;
            };
            drop(queue);
            let more = {
                let mut take = self.take.lock().unwrap_or_else(PoisonError::into_inner);
                (*take)(result)
            };
            queue = self.queue();
            queue.turn += 1;
            queue.stopped |= !more;
            self.moved.notify_all();
        }
        queue.taking = false;
    }
}

struct Guard<'t, 'a, T, F>(&'t Turns<'a, T, F>);

impl<T, F> Drop for Guard<'_, '_, T, F> {
    fn drop(&mut self) {
        if thread::panicking() {
            let mut queue = self.0.queue.lock().unwrap_or_else(PoisonError::into_inner);
            queue.stopped = true;
            self.0.moved.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn taken(threads: usize, count: usize, most: usize) -> (Vec<usize>, usize) {
        let (held, peak) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let mut taken = Vec::new();
        let work = |seed: &mut u64, number: usize| {
            peak.fetch_max(held.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            *seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(number as u64);
            (0..*seed >> 52).for_each(|_| std::hint::spin_loop());
            number
        };
        on(threads, count, || 1, work, &mut |number| {
            held.fetch_sub(1, Ordering::SeqCst);
            taken.push(number);
            taken.len() < most
        });
        (taken, peak.load(Ordering::SeqCst))
    }

    #[test]
    fn the_first_failure_is_told_and_ends_it() {
        let mut taken = Vec::new();
        // The later one is there first.
        let work = |number: usize| match number {
            3 => {
                (0..1 << 16).for_each(|_| std::hint::spin_loop());
                Err("third")
            }
            4 => Err("fourth"),
            _ => Ok(number),
        };
        let mut take = |number| {
            taken.push(number);
            Ok(true)
        };
        assert_eq!(try_in_order(9, work, &mut take), Err("third"));
        assert_eq!(taken, [0, 1, 2]);
        let refused = |number: usize| if number == 1 { Err("taken") } else { Ok(true) };
        assert_eq!(try_in_order(3, Ok, &mut { refused }), Err("taken"));
        assert_eq!(
            try_in_order(3, Ok::<usize, ()>, &mut |number| Ok(number < 1)),
            Ok(())
        );
    }

    #[test]
    fn results_are_taken_in_order_and_few_wait() {
        for threads in [1, 2, 8] {
            let (order, peak) = taken(threads, 500, usize::MAX);
            assert_eq!(order, (0..500).collect::<Vec<_>>());
            assert!(peak <= threads + AHEAD + 1, "{peak} with {threads} threads");
        }
    }

    #[test]
    fn nothing_is_taken_after_the_last_that_was_wanted() {
        for threads in [1, 2, 8] {
            assert_eq!(taken(threads, 500, 7).0, (0..7).collect::<Vec<_>>());
        }
        assert!(taken(2, 0, 1).0.is_empty());
    }

    #[test]
    fn a_panic_ends_all_threads() {
        let work = |(): &mut (), number: usize| assert_ne!(number, 20);
        let ended = std::panic::catch_unwind(|| on(3, 1000, || (), work, &mut |()| true));
        assert!(ended.is_err());
    }
}
