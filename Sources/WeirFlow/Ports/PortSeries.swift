public import WeirWire

/// Holds the ports that one client took over one transport, in the order of time.
///
/// A choice costs 14 bytes; each destination is held once.
public struct PortSeries: Sendable {
    /// Stands for a time that is not known.
    static let noTime = Int64.min
    /// Is up to how many destinations are looked through; more are hashed.
    private static let few = 4

    /// Says whose choices these are.
    public let key: PortSeriesKey
    /// Lists whom the client talked to, in the order of their first flows.
    public private(set) var destinations: [Endpoint] = []
    private var indices: [Endpoint: UInt32] = [:]
    private(set) var times: [Int64] = []
    private(set) var places: [UInt32] = []
    /// Lists the ports.
    public private(set) var ports: [UInt16] = []
    private var isSorted = true

    /// Makes a series of nothing.
    public init(_ key: PortSeriesKey) {
        self.key = key
    }

    /// Makes a series of choices; the client, the transport and the side of the first one count.
    public init(_ uses: [PortUse]) {
        let first = uses.first
        self.init(
            PortSeriesKey(
                client: first?.client ?? .anyV4,
                transport: first?.transport ?? .tcp,
                side: first?.side ?? .direct
            )
        )
        for use in uses { add(use.port, to: use.destination, at: use.time) }
    }

    /// Counts the choices.
    public var count: Int { ports.count }

    /// Says when a choice was made, in nanoseconds since 1970 UTC; nil where that is not known.
    public func time(_ index: Int) -> Int64? {
        index < times.count && times[index] != Self.noTime ? times[index] : nil
    }

    /// Gives the place of a choice's destination in `destinations`.
    public func destination(_ index: Int) -> Int { Int(places[index]) }

    /// Adds a choice.
    public mutating func add(_ port: UInt16, to destination: Endpoint, at time: Int64?) {
        let place: UInt32
        if let last = places.last, destinations[Int(last)] == destination {
            place = last
        } else if destinations.count <= Self.few, let known = destinations.firstIndex(of: destination) {
            place = UInt32(known)
        } else if destinations.count > Self.few, let known = indices[destination] {
            place = known
        } else {
            place = UInt32(destinations.count)
            destinations.append(destination)
            if destinations.count > Self.few + 1 {
                indices[destination] = place
            } else if destinations.count > Self.few {
                for (place, known) in destinations.enumerated() { indices[known] = UInt32(place) }
            }
        }
        let time = time ?? Self.noTime
        if let last = times.last, time < last { isSorted = false }
        times.append(time)
        places.append(place)
        ports.append(port)
    }

    /// Returns the series in the order of time; choices of one time stay in the order in which they were added.
    public func sorted() -> PortSeries {
        guard !isSorted else { return self }
        let order = times.indices.sorted { (times[$0], $0) < (times[$1], $1) }
        var copy = self
        copy.times = order.map { times[$0] }
        copy.places = order.map { places[$0] }
        copy.ports = order.map { ports[$0] }
        copy.isSorted = true
        return copy
    }
}

/// Gathers choices of ports into series, one for each client, transport and side.
public struct PortTable: Sendable {
    /// Gives the most choices that are kept by default, about 60 MB of them.
    public static let defaultLimit = 1 << 22

    private var indices: [PortSeriesKey: Int] = [:]
    /// Remember the last series and the one before: the sides of a relay take turns.
    private var last: (key: PortSeriesKey, index: Int)?
    private var beforeLast: (key: PortSeriesKey, index: Int)?
    /// Lists the series in the order of their first choices.
    public private(set) var series: [PortSeries] = []
    /// Counts the choices that are held.
    public private(set) var count = 0
    /// Counts the choices that there was no room for.
    public private(set) var leftOut = 0
    private let limit: Int
    private let seriesLimit: Int

    /// Makes an empty table.
    ///
    /// - Parameters:
    ///   - limit: the most choices that are kept; those past it are counted.
    ///   - seriesLimit: the most series that are kept; the choices of further ones are counted.
    public init(limit: Int = defaultLimit, seriesLimit: Int = 1 << 16) {
        self.limit = limit
        self.seriesLimit = seriesLimit
    }

    /// Adds a choice.
    public mutating func add(_ use: PortUse) {
        let key = PortSeriesKey(client: use.client, transport: use.transport, side: use.side)
        let index: Int
        if let last, last.key == key {
            index = last.index
        } else if let beforeLast, beforeLast.key == key {
            index = beforeLast.index
        } else if let known = indices[key] {
            index = known
        } else {
            guard series.count < seriesLimit, count < limit else {
                leftOut += 1
                return
            }
            index = series.count
            indices[key] = index
            series.append(PortSeries(key))
        }
        if last?.index != index { (beforeLast, last) = (last, (key, index)) }
        guard count < limit else {
            leftOut += 1
            return
        }
        count += 1
        series[index].add(use.port, to: use.destination, at: use.time)
    }
}
