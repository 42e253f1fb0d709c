//! A seeded simulation of a province: 100 counties, agencies that forget, err, repeat themselves,
//! come late and merge; persons who live through sentences; two years of the statutory clock. After
//! every record, and over the whole state every month, an independent account checks the promises
//! P2, P3, P4, P7, P8, P9 and P10 and the limits.
//!
//! `decide` and `apply` are the real ones, under the built-in law and the real divisions. What is
//! simulated is the world around them. A seed gives the same run every time; a failure names it.

#![expect(clippy::unwrap_used, reason = "a test that fails says where")]

mod acts;
mod agencies;
mod clock;
mod counts;
mod dice;
mod errors;
mod hub;
mod lives;
mod mail;
mod model;
mod operators;
mod papers;
mod proof;
mod routes;
mod simulation;

use std::sync::Mutex;
use std::{panic, thread};

use counts::Counts;
use simulation::{Simulation, Size};

/// What CI runs, in half a minute: with these, every kind of event occurs.
const SEEDS: [u64; 3] = [1, 5, 7];
/// Persons in each run.
const PERSONS: usize = 700;

/// The seeds that the environment asks for: `7,8,9`, or `count:50` for 1 to 50.
fn seeds() -> Vec<u64> {
    let Ok(asked) = std::env::var("XIANJIE_SIMULATION_SEEDS") else { return SEEDS.to_vec() };
    match asked.strip_prefix("count:") {
        Some(count) => (1..=count.parse().unwrap()).collect(),
        None => asked.split(',').map(|seed| seed.trim().parse().unwrap()).collect(),
    }
}

fn persons() -> usize {
    let asked = std::env::var("XIANJIE_SIMULATION_PERSONS");
    asked.map_or(PERSONS, |persons| persons.parse().unwrap())
}

/// Runs each seed, as many at once as there are processors.
fn run(seeds: &[u64], size: Size) -> Counts {
    let next = Mutex::new(seeds.iter());
    let work = || {
        let mut counts = Counts::default();
        while let Some(seed) = { next.lock().unwrap().next() } {
            counts.add(&Simulation::new(*seed, size).run());
        }
        counts
    };
    let workers = thread::available_parallelism().map_or(1, usize::from).min(seeds.len());
    thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        let mut counts = Counts::default();
        for worker in workers {
            // A broken promise has told its story already.
            counts.add(&worker.join().unwrap_or_else(|broken| panic::resume_unwind(broken)));
        }
        counts
    })
}

#[test]
fn two_years_of_a_province_keep_every_promise() {
    let (seeds, persons) = (seeds(), persons());
    let counts = run(&seeds, Size { persons, days: 730 });
    println!("seeds {seeds:?}, {persons} persons each\n{counts}");
    if seeds == SEEDS && persons >= PERSONS {
        assert_eq!(counts.missing(), Vec::<String>::new(), "these never happened");
    }
}
