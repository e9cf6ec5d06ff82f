/// One row of a table: a relay with what it is asked to do, or none.
struct Subject: Sendable {
    /// The name in the table.
    let name: String
    /// The relay; nil for none, and for what is not a relay.
    var peer: (any Peer)?
    /// What the relay does besides relaying.
    var watching = Watching.nothing
    /// How the client is started under `weir run`, in place of a relay before it; nil for a client alone.
    var run: WeirRun?

    /// The client and the server with nothing between them.
    static let direct = Subject(name: "direct")

    /// Makes the plain row of a relay.
    static func relay(_ peer: any Peer) -> Subject {
        Subject(name: peer.name, peer: peer)
    }

    /// Makes the row of a client under `weir run` with options.
    static func run(_ options: [String] = []) -> Subject {
        Subject(name: (["weir run"] + options).joined(separator: " "), run: WeirRun(options: options))
    }

    /// Direct and every relay.
    static let everyone = [direct] + Peers.all.map(relay)
}

/// A client's start under `weir run`.
struct WeirRun: Sendable, Equatable {
    /// The program: weir, or an earlier build of it.
    var program = Peers.weir.program
    /// Options of `weir run`, besides that nothing is shown.
    var options: [String] = []

    /// Returns how a client is started under the program at a path; standard output is the client's.
    func launch(_ path: String, _ client: Launch) -> Launch {
        let arguments = ["run", "--show", "none"] + options + ["--", client.program] + client.arguments
        return Launch(program: path, arguments: arguments)
    }
}
