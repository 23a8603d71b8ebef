//! Reading domain names.

use std::hint::black_box;

use criterion::{Criterion, criterion_main};
use sendershift::name::DomainName;

fn parse(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("DomainName::parse");
    for (case, text) in [
        ("plain", "selector1._domainkey.mail.example.com"),
        ("escaped", "a\\.b\\032c.example.com"),
        ("international", "post.bücher.example"),
    ] {
        group.bench_function(case, |bencher| bencher.iter(|| DomainName::parse(black_box(text))));
    }
    group.finish();
}

fn benches() {
    parse(&mut Criterion::default().configure_from_args());
}

criterion_main!(benches);
