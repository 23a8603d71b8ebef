use super::Migration;

mod qualys;
mod read;
