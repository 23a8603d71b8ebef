mod apply;
mod documents;
mod read;
mod round_trip;
