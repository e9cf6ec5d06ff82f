public import WeirWire

/// The checked toxics of one route: made once, and shared by all its flows.
public struct ToxicSet: Sendable {
    /// One toxic of the route.
    public final class Entry: Sendable {
        /// The configuration, with all attributes.
        public let configuration: ToxicConfiguration
        /// The toxic in the state in which it meets a flow.
        let prototype: any Toxic
        /// The number of flows that the route had seen when the toxic was added.
        let since: UInt64

        init(_ configuration: ToxicConfiguration, _ prototype: any Toxic, since: UInt64) {
            self.configuration = configuration
            self.prototype = prototype
            self.since = since
        }

        /// The name of the toxic.
        public var name: String { configuration.name }
        /// The direction of the bytes to which it applies.
        public var direction: Direction { configuration.direction }
    }

    /// The toxics, in the order of the chain.
    public let entries: [Entry]

    /// The set without toxics.
    public static let none = ToxicSet(entries: [])

    init(entries: [Entry]) {
        self.entries = entries
    }

    /// Creates the toxics of a route.
    ///
    /// - Parameters:
    ///   - chain: the configurations; in each direction, bytes pass them in this order.
    ///   - transport: the transport of the route.
    ///   - previous: the route's toxics until now: a toxic that is the same in both does not count as added.
    ///   - flows: the number of flows that the route has seen.
    /// - Throws: `ToxicError` with what is wrong.
    public init(
        _ chain: [ToxicConfiguration],
        for transport: Transport,
        replacing previous: ToxicSet = .none,
        after flows: UInt64 = 0
    ) throws(ToxicError) {
        var entries: [Entry] = []
        for configuration in try chain.validated(for: transport) {
            let old = previous.entries.first { $0.name == configuration.name }
            if let old, old.configuration == configuration {
                entries.append(old)
                continue
            }
            guard let type = Toxics.type(named: configuration.type) else { throw .unknownType(configuration.type) }
            let toxic = try type.toxic(configuration.attributes, for: transport)
            let keepsCount = old?.configuration.match?.flows == configuration.match?.flows
            entries.append(Entry(configuration, toxic, since: keepsCount ? old?.since ?? flows : flows))
        }
        self.init(entries: entries)
    }

    /// Creates a set of toxics that are not in the table, for tests.
    package init(_ toxics: [Direction: [any Toxic]]) {
        entries = Direction.allCases.flatMap { direction in
            (toxics[direction] ?? []).enumerated().map { index, toxic in
                Entry(ToxicConfiguration("test", direction, name: "\(direction)-\(index)"), toxic, since: 0)
            }
        }
    }

    /// Whether there are no toxics.
    public var isEmpty: Bool { entries.isEmpty }

    /// The configurations, with all attributes filled in.
    public var configurations: [ToxicConfiguration] { entries.map(\.configuration) }

    /// The length of the longest prefix in the conditions, in bytes.
    var longestPrefix: Int { entries.map { $0.configuration.match?.prefix?.bytes.count ?? 0 }.max() ?? 0 }

    /// Returns the toxics of one direction.
    func entries(_ direction: Direction) -> [Entry] { entries.filter { $0.direction == direction } }
}
