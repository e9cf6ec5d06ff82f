public import WeirWire

/// Holds the checked toxics of one route, as its flows meet them: made once, and shared by all of them.
public struct ToxicSet: Sendable {
    /// Is one toxic of the route.
    public final class Entry: Sendable {
        /// Says what it is, with all attributes.
        public let configuration: ToxicConfiguration
        /// Is the toxic in the state in which it meets a flow.
        let prototype: any Toxic
        /// Counts the flows that the route had had when the toxic was added.
        let since: UInt64

        init(_ configuration: ToxicConfiguration, _ prototype: any Toxic, since: UInt64) {
            self.configuration = configuration
            self.prototype = prototype
            self.since = since
        }

        /// Names the toxic.
        public var name: String { configuration.name }
        /// Says which way the bytes run that it is put on.
        public var direction: Direction { configuration.direction }
    }

    /// Lists the toxics, in the order of the chain.
    public let entries: [Entry]

    /// Holds no toxic.
    public static let none = ToxicSet(entries: [])

    init(entries: [Entry]) {
        self.entries = entries
    }

    /// Makes the toxics of a route.
    ///
    /// - Parameters:
    ///   - chain: what they are; in each direction bytes pass them in this order.
    ///   - transport: what the route carries.
    ///   - previous: what the route had until now: what is the same in both is not counted as added.
    ///   - flows: how many flows the route has had.
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

    /// Makes a set of toxics that are no rows of the table: for tests.
    package init(_ toxics: [Direction: [any Toxic]]) {
        entries = Direction.allCases.flatMap { direction in
            (toxics[direction] ?? []).enumerated().map { index, toxic in
                Entry(ToxicConfiguration("test", direction, name: "\(direction)-\(index)"), toxic, since: 0)
            }
        }
    }

    /// Says that there is no toxic.
    public var isEmpty: Bool { entries.isEmpty }

    /// Lists the configurations, all attributes filled in.
    public var configurations: [ToxicConfiguration] { entries.map(\.configuration) }

    /// Counts the bytes that the longest prefix asks for.
    var longestPrefix: Int { entries.map { $0.configuration.match?.prefix?.bytes.count ?? 0 }.max() ?? 0 }

    /// Lists the toxics of one direction.
    func entries(_ direction: Direction) -> [Entry] { entries.filter { $0.direction == direction } }
}
