public import WeirWire

/// The ports that one client took over one transport, in the order of time.
///
/// A choice costs 14 bytes; each destination is kept once.
public struct PortSeries: Sendable {
    /// The value that means an unknown time.
    static let noTime = Int64.min
    /// The number of destinations up to which they are searched one by one; more are hashed.
    private static let few = 4

    /// The client, the transport and the side of these choices.
    public let key: PortSeriesKey
    /// The destinations of the client, in the order of their first flows.
    public private(set) var destinations: [Endpoint] = []
    private var indices: [Endpoint: UInt32] = [:]
    private(set) var times: [Int64] = []
    private(set) var places: [UInt32] = []
    /// The ports.
    public private(set) var ports: [UInt16] = []
    private var isSorted = true

    /// Creates an empty series.
    public init(_ key: PortSeriesKey) {
        self.key = key
    }

    /// Creates a series of choices, with the client, the transport and the side of the first one.
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

    /// The number of choices.
    public var count: Int { ports.count }

    /// Returns when a choice was made, in ns since 1970 UTC; nil if that is not known.
    public func time(_ index: Int) -> Int64? {
        index < times.count && times[index] != Self.noTime ? times[index] : nil
    }

    /// Returns the index of a choice's destination in `destinations`.
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

    /// Returns the series in the order of time; choices with the same time keep their order.
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

/// A table of port choices, grouped into series by client, transport and side.
public struct PortTable: Sendable {
    /// The default limit on choices, which take about 60 MB.
    public static let defaultLimit = 1 << 22

    private var indices: [PortSeriesKey: Int] = [:]
    /// The last series and the one before: the sides of a relay alternate.
    private var last: (key: PortSeriesKey, index: Int)?
    private var beforeLast: (key: PortSeriesKey, index: Int)?
    /// The series in the order of their first choices.
    public private(set) var series: [PortSeries] = []
    /// The number of choices in the table.
    public private(set) var count = 0
    /// The number of choices for which there was no room.
    public private(set) var leftOut = 0
    private let limit: Int
    private let seriesLimit: Int

    /// Creates an empty table.
    ///
    /// - Parameters:
    ///   - limit: the maximum number of choices that are kept; further ones are only counted.
    ///   - seriesLimit: the maximum number of series; choices of further ones are only counted.
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
