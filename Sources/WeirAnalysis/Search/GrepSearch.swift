public import WeirDissect
public import WeirWire

/// The search for a pattern in all that the flows of a capture carried: `weir show --grep`.
///
/// Streams are searched across the borders of their segments, datagrams one by one. What messages say in other bytes, such as
/// the names in DNS, is searched too.
public struct GrepSearch: ~Copyable, Sendable {
    /// A closure that receives a match.
    public typealias Receiver = (GrepMatch) -> Void

    private var feed = PayloadFeed()
    private var dissector = CaptureDissector(wantsFields: true)
    private var state: State

    /// What is known of the flows.
    fileprivate struct State: Sendable {
        fileprivate struct Side: Hashable {
            var place: Int
            var direction: Direction
        }

        fileprivate var finder: PatternFinder
        /// A finder of its own, as texts and streams take turns.
        fileprivate var textFinder: PatternFinder
        fileprivate let context: Int
        fileprivate var windows: [Side: GrepWindow] = [:]
        fileprivate let limit: Int

        fileprivate init(_ pattern: SearchPattern, context: Int, limit: Int) {
            finder = PatternFinder(pattern)
            textFinder = finder
            self.context = context
            self.limit = limit
        }
    }

    /// Creates a search that has seen no packet.
    ///
    /// - Parameters:
    ///   - pattern: The pattern.
    ///   - context: The number of bytes to show before and after a match.
    ///   - limit: The maximum number of directions of flows whose last bytes are kept; if there are more, a match in two
    ///     segments of a flow may be missed.
    public init(_ pattern: SearchPattern, context: Int, limit: Int = 1 << 17) {
        state = State(pattern, context: max(context, 0), limit: max(limit, 1))
    }

    /// Searches a packet that was already added to the flows.
    public mutating func add(
        _ packet: CapturedPacket,
        _ bytes: RawSpan,
        in flows: borrowing CaptureFlows,
        to receiver: Receiver
    ) {
        if let place = flows.tcp, place.hasTurned { state.turn(place.index) }
        Self.search(packet, bytes, in: flows, &feed, &state, receiver)
        Self.read(packet, bytes, in: flows, &dissector, &state, receiver)
    }

    /// Searches what is left at the end.
    public mutating func finish(to receiver: Receiver) {
        Self.finish(&feed, &state, receiver)
        Self.finish(&dissector, &state, receiver)
        state.finish(receiver)
    }

    private static func search(
        _ packet: CapturedPacket,
        _ bytes: RawSpan,
        in flows: borrowing CaptureFlows,
        _ feed: inout PayloadFeed,
        _ state: inout State,
        _ receiver: Receiver
    ) {
        feed.add(packet, bytes, in: flows) { state.add($0, $1, receiver) }
    }

    private static func read(
        _ packet: CapturedPacket,
        _ bytes: RawSpan,
        in flows: borrowing CaptureFlows,
        _ dissector: inout CaptureDissector,
        _ state: inout State,
        _ receiver: Receiver
    ) {
        dissector.add(packet, bytes, in: flows) { state.add($1, of: $0, receiver) }
    }

    private static func finish(_ feed: inout PayloadFeed, _ state: inout State, _ receiver: Receiver) {
        feed.finish { state.add($0, $1, receiver) }
    }

    private static func finish(_ dissector: inout CaptureDissector, _ state: inout State, _ receiver: Receiver) {
        dissector.finish { state.add($1, of: $0, receiver) }
    }
}

extension GrepSearch.State {
    /// Swaps the directions of a flow.
    fileprivate mutating func turn(_ place: Int) {
        let (up, down) = (Side(place: place, direction: .upstream), Side(place: place, direction: .downstream))
        (windows[up], windows[down]) = (windows[down], windows[up])
    }

    /// Searches a piece of a stream, or a datagram.
    fileprivate mutating func add(_ piece: PayloadFeed.Piece, _ bytes: RawSpan, _ receiver: GrepSearch.Receiver) {
        let side = Side(place: piece.place, direction: piece.direction)
        if piece.isDatagram {
            var window = GrepWindow()
            return search(bytes, at: piece.time, isEnd: true, side, &window, receiver)
        }
        var window = windows.removeValue(forKey: side) ?? GrepWindow()
        if piece.isGap {
            search(RawSpan(), isEnd: true, side, &window, receiver)
            window.skip(piece.count)
        } else {
            search(bytes, at: piece.time, isEnd: false, side, &window, receiver)
        }
        if windows.count >= limit { finish(receiver) }
        windows[side] = window
    }

    private mutating func search(
        _ bytes: RawSpan,
        at time: Int64? = nil,
        isEnd: Bool,
        _ side: Side,
        _ window: inout GrepWindow,
        _ receiver: GrepSearch.Receiver
    ) {
        window.add(bytes, at: time, isEnd: isEnd, context: context, &finder) { offset, time, before, match, after in
            var found = GrepMatch(place: side.place, direction: side.direction, offset: offset, time: time)
            (found.before, found.bytes, found.after) = (before, match, after)
            receiver(found)
        }
    }

    /// Searches the texts of a message's fields that are other bytes in the traffic.
    fileprivate mutating func add(_ message: Message, of place: Int, _ receiver: GrepSearch.Receiver) {
        for field in message.fields {
            guard case .text(let text) = field.value, text.utf8.count != field.range.count, !field.isCut else {
                continue
            }
            var window = GrepWindow()
            let bytes = Array(text.utf8)
            window.add(bytes.span.bytes, isEnd: true, context: context, &textFinder) { _, _, before, match, after in
                let offset = field.range.lowerBound
                var found = GrepMatch(place: place, direction: message.direction, offset: offset, time: message.time)
                (found.before, found.bytes, found.after) = (before, match, after)
                found.field = "\(field.name.name)"
                receiver(found)
            }
        }
    }

    /// Finds what only the end makes a match, or what was only waiting for the bytes after it.
    fileprivate mutating func finish(_ receiver: GrepSearch.Receiver) {
        for side in windows.keys.sorted(by: { ($0.place, $0.direction.rawValue) < ($1.place, $1.direction.rawValue) }) {
            guard var window = windows.removeValue(forKey: side) else { continue }
            search(RawSpan(), isEnd: true, side, &window, receiver)
        }
    }
}
