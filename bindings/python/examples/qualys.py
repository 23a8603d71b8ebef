"""The Qualys split of 2022, from evidence to proof; run in the root of the repository."""

from pathlib import Path

from sendershift import PROMISES, Migration, Plan, Proof, Snapshot, SpfCost, spf

EXAMPLE = Path("docs/examples/qualys")


def tell(plan: Plan, proof: Proof) -> None:
    dated = [(step.earliest, step) for step in plan.steps if step.earliest is not None]
    for earliest, step in sorted(dated, key=lambda pair: pair[0]):
        print(f"{earliest:%Y-%m-%d}  {step.kind:8}  {step.title}")
    print(f"The plan is {proof.verdict}. Judged were:")
    for promise in proof.judged:
        print(f"  {promise:4} {PROMISES[promise]}")


def main() -> None:
    dns = Snapshot.from_file(EXAMPLE / "dns.json")
    cost: SpfCost = spf.cost(dns, "qualys.com")
    print(f"qualys.com spends {cost.lookups['total']} lookups of {cost.limits['lookups']}")
    plan = Migration.from_file(EXAMPLE / "migration.toml").plan(dns)
    tell(plan, plan.prove())


if __name__ == "__main__":
    main()
