use super::page::Page;

#[test]
fn lines_keep_to_the_width() {
    let mut page = Page::new(40);
    page.item("- ", "words that are short and then one that is very long indeed: MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAurzxQVCu7YOC and more");
    page.section("Nothing", |_| {});
    let text = page.finish();
    assert!(text.lines().all(|line| line.chars().count() <= 40), "{text}");
    assert!(!text.contains("Nothing"));
    let joined: String = text.split_whitespace().collect();
    assert!(joined.ends_with("MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAurzxQVCu7YOCandmore"), "{joined}");
}

/// Proves a plan, renders both and looks for what a reader has to find.
fn rendered(text: &str, width: usize) -> (String, String) {
    let plan = crate::plan::Plan::from_json(text).unwrap();
    let proof = crate::prove::prove(&plan).unwrap();
    let (of_plan, of_proof) = (super::plan(&plan, Some(&proof), width), super::proof(&proof, width));
    for text in [&of_plan, &of_proof] {
        // Records are copied, so that each stands in a line of its own.
        let fits = |line: &str| line.chars().count() <= width || line.contains('"');
        assert!(text.lines().all(|line| fits(line) && line.trim_end() == line), "{text}");
    }
    (of_plan, of_proof)
}

#[test]
fn a_safe_plan() {
    for width in [80, 120] {
        let (plan, proof) = rendered(include_str!("../../../../../tests/plans/safe-split.json"), width);
        for wanted in [
            "Verdict: SAFE",
            "- example.com 3600 TXT \"v=spf1",
            "SPF lookups at worst: 0 before, 0 after",
            "Not before: 2 h after `authorise-reports`",
            "Verdict: SAFE (see the top).",
            "P3 (reversible)",
            "[assume.queue-lifetime]",
        ] {
            assert!(plan.contains(wanted), "{wanted}\n{plan}");
        }
        assert!(proof.contains("P1 (authenticated): safe"), "{proof}");
    }
}

#[test]
fn a_broken_plan() {
    let (plan, proof) = rendered(include_str!("../../../../../tests/plans/broken-queued-mail.json"), 80);
    for text in [plan, proof] {
        assert!(text.contains("What goes wrong"), "{text}");
        assert!(text.contains("[p1."), "{text}");
    }
}

#[test]
fn what_others_wrote_forges_no_line_and_tells_a_terminal_nothing() {
    let text = include_str!("../../../../../tests/plans/broken-queued-mail.json");
    let mut plan: serde_json::Value = serde_json::from_str(text).unwrap();
    for step in plan["steps"].as_array_mut().unwrap() {
        step["title"] = "Move\n\u{1b}[31mVerdict: SAFE\u{1b}[0m\nVerdict: SAFE".into();
    }
    let (plan, proof) = rendered(&plan.to_string(), 80);
    assert!(plan.contains("Move [31mVerdict: SAFE[0m Verdict: SAFE"), "{plan}");
    for text in [plan, proof] {
        assert!(!text.contains('\u{1b}'), "{text}");
        assert!(!text.lines().any(|line| line.trim_start().starts_with("Verdict: SAFE")), "{text}");
    }
}
