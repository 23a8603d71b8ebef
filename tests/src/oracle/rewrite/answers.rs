//! What the old and the new record say, where the questions of what is kept turn out in a certain way.

use super::super::tree::{Client, Mechanism};
use super::Item;
use super::layout::{Element, End, Node};

impl End {
    pub(super) fn result(self, world: &[char]) -> char {
        match self {
            Self::Result(result) => result,
            Self::Question(question) => world.get(question).copied().unwrap_or('?'),
        }
    }
}

/// Every way in which the questions can turn out.
pub(super) fn worlds(questions: usize, end: End) -> Vec<Vec<char>> {
    let mut worlds: Vec<Vec<char>> = vec![Vec::new()];
    for question in 0..questions {
        let answers: &[char] =
            if end == End::Question(question) { &['+', '-', '~', '?'] } else { &['+', '-'] };
        worlds = worlds
            .iter()
            .flat_map(|world| answers.iter().map(|answer| [world.as_slice(), &[*answer]].concat()))
            .collect();
    }
    worlds
}

pub(super) fn matches(mechanism: &Mechanism, client: Client) -> bool {
    let within = |net: u8, bits: u8| client.host.is_some_and(|host| (host ^ net) >> (4 - bits.min(4)) == 0);
    match mechanism {
        Mechanism::Ip4(net, bits) => !client.v6 && within(*net, *bits),
        Mechanism::Ip6(net, bits) => client.v6 && within(*net, *bits),
        _ => false,
    }
}

pub(super) fn own(nets: &[(Mechanism, char)], client: Client) -> Option<char> {
    nets.iter().find(|(net, _)| matches(net, client)).map(|(_, qualifier)| *qualifier)
}

/// What the record that is meant says, with what is kept answered by a world; none where it comes to its end.
pub(super) fn run(
    nodes: &[Node],
    client: Client,
    world: &[char],
    elements: &[(Element, Vec<Item>)],
) -> Option<char> {
    nodes.iter().find_map(|node| match node {
        Node::Net { mechanism, qualifier, .. } => matches(mechanism, client).then_some(*qualifier),
        Node::Own(at) => match elements.get(*at) {
            Some((Element::Own(nets), _)) => own(nets, client),
            _ => None,
        },
        Node::Live { question, qualifier } => (world.get(*question) == Some(&'+')).then_some(*qualifier),
        Node::Open { qualifier, nodes, end, .. } => {
            let inner = run(nodes, client, world, elements).unwrap_or_else(|| end.result(world));
            (inner == '+').then_some(*qualifier)
        }
    })
}

/// What the new record says to a client that one network names, before the element of a number; none at its end.
pub(super) fn decided(
    elements: &[(Element, Vec<Item>)],
    client: Client,
    world: &[char],
    net: Option<(usize, char)>,
) -> Option<char> {
    let new = |at: usize| net.filter(|(place, _)| *place == at).map(|(_, qualifier)| qualifier);
    let decides = |(at, (element, _)): (usize, &(Element, Vec<Item>))| {
        new(at).or_else(|| match element {
            Element::Own(nets) => own(nets, client),
            Element::Live { question, qualifier } => {
                (world.get(*question) == Some(&'+')).then_some(*qualifier)
            }
        })
    };
    elements.iter().enumerate().find_map(decides).or_else(|| new(elements.len()))
}
