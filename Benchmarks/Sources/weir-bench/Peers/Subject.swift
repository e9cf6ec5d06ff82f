/// One row of a table: a relay with what it is asked to do, or none.
struct Subject: Sendable {
    /// The name in the table.
    let name: String
    /// The relay; nil for none, and for what is not a relay.
    var peer: (any Peer)?
    /// What the relay does besides relaying.
    var watching = Watching.nothing

    /// The client and the server with nothing between them.
    static let direct = Subject(name: "direct")

    /// Makes the plain row of a relay.
    static func relay(_ peer: any Peer) -> Subject {
        Subject(name: peer.name, peer: peer)
    }

    /// Direct and every relay.
    static let everyone = [direct] + Peers.all.map(relay)
}
