//! Changes to documents that leave them documents: octets changed at random seldom get past the reader.

use libfuzzer_sys::fuzzer_mutate;
use serde_json::Value;

/// Numbers at random, which a seed determines.
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or_default() % bound.max(1)
    }
}

/// Changes a JSON document in one to three places, one time in four any octets.
pub fn json(data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    let mut draw = Draw(u64::from(seed));
    let changed = (draw.below(4) > 0)
        .then(|| {
            let mut value: Value = serde_json::from_slice(&data[..size]).ok()?;
            for _ in 0..=draw.below(3) {
                change(&mut value, &mut draw);
            }
            Some(value.to_string())
        })
        .flatten();
    put(data, size, max_size, changed)
}

/// Changes a text in one to three lines, or words in quotation marks, one time in four any octets.
pub fn lines(data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    let mut draw = Draw(u64::from(seed));
    let changed = (draw.below(4) > 0)
        .then(|| {
            let mut lines: Vec<String> =
                std::str::from_utf8(&data[..size]).ok()?.lines().map(str::to_owned).collect();
            for _ in 0..=draw.below(3) {
                let (at, other) = (draw.below(lines.len()), draw.below(lines.len()));
                let from = lines.get(other)?.clone();
                match draw.below(4) {
                    0 => drop(lines.remove(at)),
                    1 => lines.insert(at, from),
                    2 => lines.swap(at, other),
                    _ => {
                        let word = from.split('"').nth(1 + 2 * draw.below(2))?;
                        let mut parts: Vec<&str> = lines[at].split('"').collect();
                        *parts.get_mut(1 + 2 * draw.below(3))? = word;
                        lines[at] = parts.join("\"");
                    }
                }
            }
            Some(lines.join("\n") + "\n")
        })
        .flatten();
    put(data, size, max_size, changed)
}

fn put(data: &mut [u8], size: usize, max_size: usize, text: Option<String>) -> usize {
    match text.filter(|text| text.len() <= max_size.min(data.len())) {
        Some(text) => {
            data[..text.len()].copy_from_slice(text.as_bytes());
            text.len()
        }
        None => fuzzer_mutate(data, size, max_size),
    }
}

/// One place of the document becomes what another one is, or goes, or stands twice, or is a little different.
fn change(value: &mut Value, draw: &mut Draw) {
    let mut places = Vec::new();
    gather(value, &mut String::new(), &mut places);
    let (place, other) = (places[draw.below(places.len())].clone(), &places[draw.below(places.len())]);
    let from = value.pointer(other).cloned().unwrap_or_default();
    // The document itself has no parent.
    let (parent, key) = place.rsplit_once('/').unwrap_or(("/", ""));
    match (draw.below(5), value.pointer_mut(parent)) {
        (0, Some(Value::Array(values))) => drop(values.remove(key.parse().unwrap_or_default())),
        (0, Some(Value::Object(fields))) => drop(fields.remove(key)),
        (1, Some(Value::Array(values))) => values.insert(key.parse().unwrap_or_default(), from),
        (1, Some(Value::Object(fields))) => drop(fields.insert(key.to_owned(), from)),
        _ => {
            let Some(target) = value.pointer_mut(&place) else { return };
            match target {
                Value::Bool(flag) => *flag = !*flag,
                Value::Number(number) => {
                    let number = number.as_i64().unwrap_or_default();
                    let steps = [number - 1, number + 1, number * 2, 0, number / 2];
                    *target = steps[draw.below(steps.len())].into();
                }
                Value::String(text) if draw.below(2) == 0 => change_text(text, draw),
                _ => *target = from,
            }
        }
    }
}

/// A digit or a word becomes another one, or goes.
fn change_text(text: &mut String, draw: &mut Draw) {
    let mut words: Vec<String> = text.split_inclusive([' ', '.', ':', '/']).map(str::to_owned).collect();
    let (at, other) = (draw.below(words.len()), draw.below(words.len()));
    match (draw.below(3), words.get(other).cloned()) {
        (0, Some(word)) => words[at] = word,
        (1, Some(word)) => words.insert(at, word),
        (2, Some(_)) => drop(words.remove(at)),
        _ => {}
    }
    *text = words.concat();
}

fn gather(value: &Value, at: &mut String, places: &mut Vec<String>) {
    places.push(at.clone());
    let length = at.len();
    let mut visit = |key: &str, value: &Value| {
        at.push('/');
        at.push_str(&key.replace('~', "~0").replace('/', "~1"));
        gather(value, at, places);
        at.truncate(length);
    };
    match value {
        Value::Array(values) => {
            values.iter().enumerate().for_each(|(index, value)| visit(&index.to_string(), value))
        }
        Value::Object(fields) => fields.iter().for_each(|(key, value)| visit(key, value)),
        _ => {}
    }
}
