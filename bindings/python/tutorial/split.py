# %% [markdown]
# # From evidence to proof: the Qualys split in Python
#
# In 2022 Qualys moved the mail of its platform from `qualys.com` to `qualys.net`. This page plans that move with what DNS said before it,
# proves the plan safe, and then breaks it on purpose, to see what the proof is worth. You need a checkout of the repository, and in it
#
#     python3 -m venv .venv && .venv/bin/pip install ./bindings/python matplotlib
#
# The code is [bindings/python/tutorial/split.py](../bindings/python/tutorial/split.py), run in the root of the repository
# (`.venv/bin/python bindings/python/tutorial/split.py`); what stands below each piece is what it printed. matplotlib draws the two pictures, by
# `pictures.py` beside the code, and nothing else needs it. Who pastes the pieces into a session starts that with
# `PYTHONPATH=bindings/python/tutorial`.

# %% [markdown]
# ## Evidence
#
# sendershift asks no DNS. It works on a snapshot: what DNS said, and when. The same snapshot always gives the same answers, years later, too.

# %%
from sendershift import PROMISES, Migration, Plan, Snapshot, spf

dns = Snapshot.from_file("docs/examples/qualys/dns.json")
print(len(dns.answers), "answers, gathered on", dns.taken)

# %% [markdown]
# What does the SPF record of `qualys.com` spend?

# %%
from pictures import tree

cost = spf.cost(dns, "qualys.com")
tree(cost)

# %% [markdown]
# Ten lookups, where RFC 7208 allows ten: one provider more, or one more include inside any of these, and whoever stands behind it gets permerror.
# This record has no room. And who is the platform? A policy holds the result of a record at *every* address:

# %%
platform = dns.policy("_spf.qualys.com").always("pass")
everybody = dns.policy("qualys.com")
print(platform.count(), "addresses, all of them in the record of qualys.com:", platform <= everybody.always("pass"))
print(everybody.result("192.0.2.10"), "and", everybody.result("192.0.2.11"))
print(*everybody.cases("192.0.2.11"), sep="\n")

# %% [markdown]
# The last address has no single result: Salesforce's record asks an `exists` about each client, and what that answers depends on more than the
# record. It is kept as an unknown, with both outcomes, and is not guessed.
#
# ## What shall change
#
# A migration file says who sends what, now and then, and what customers were promised. It says nothing about steps, waits or dates.

# %%
migration = Migration.from_file("docs/examples/qualys/migration.toml")
print(migration.title)
print(len(migration.streams), "mail streams move in", len(migration.waves), "waves, until", migration.deadline)

# %% [markdown]
# ## The plan
#
# The steps, their order and their waits follow from that: a record has to be visible everywhere before mail relies on it, and has to stay until
# the last message that relied on it has been judged.

# %%
from pictures import timeline

plan = migration.plan(dns)
timeline(plan)
print(len(plan.steps), "steps; the point of no return is", plan.point_of_no_return)

# %% [markdown]
# Each step says what to do, why, and how to see that it is done.

# %%
step = next(step for step in plan.steps if step.id == plan.point_of_no_return)
print(step.title, "--", step.why)
for change in step.changes:
    print(change.name, change.type)
    print("  before:", *change.preview["before"], sep="\n    ")
    print("  after:", *change.preview["after"], sep="\n    ")
print(step.done_when)

# %% [markdown]
# ## The proof
#
# An independent prover now tries to break the plan: with every combination of old and new records that caches can hold, every message still in a
# queue, every step arbitrarily late. It judges ten promises, for receivers that keep to RFC 7208 and for those that are stricter.

# %%
proof = plan.prove()
print(proof.verdict)
for promise in proof.judged:
    print(f"{promise:4}", PROMISES[promise])

# %% [markdown]
# A proof is worth as much as its assumptions, so it lists them. These are about mail and DNS at large; others are about single records
# and are listed with their names.

# %%
for assumption in proof.assumptions:
    if assumption.subject is None and assumption.code.startswith("assume."):
        print("-", assumption)

# %% [markdown]
# ## Break it
#
# Is the prover hard to please? Suppose that somebody wants to be done, and removes the old DKIM key one day after the last mail has moved.

# %%
edited = plan.to_dict()
for one in edited["steps"]:
    if one["id"] == "remove-dkim-qualys-com":
        one["after"] = [{"step": "move-accounts", "at_least": "PT86400S"}]

hasty = Plan.from_dict(edited).prove()
print(hasty.verdict)
broken = next(one.counterexample for one in hasty.promises if one.counterexample)
print(broken.code)
for happening in broken.story:
    print("-", happening)

# %% [markdown]
# The prover does not say that a wait is too short. It tells the story of one message: one that waited in a queue, and came to a receiver when its key
# was gone.
#
# ## And then
#
# `plan.to_json()` is the whole plan with its evidence: `sendershift prove PLAN.json` judges it anywhere, and `sendershift prove PLAN.json --dns NOW.json` judges
# what is left of it on the DNS of that day. `print(plan)` is the text for people, with every record and every undo.
