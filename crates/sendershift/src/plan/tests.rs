mod apply;
mod documents;
mod order;
mod read;
