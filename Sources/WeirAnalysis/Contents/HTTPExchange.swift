public import WeirDissect
public import WeirWire

/// A request of HTTP and its answer.
public struct HTTPExchange: Sendable {
    /// One of the two messages, with its times.
    public struct Part: Sendable {
        /// The message.
        public var content: HTTPContent
        /// The time of its first byte, in nanoseconds since 1970 UTC; nil if it is not known.
        public var firstTime: Int64?
        /// The time of its last byte, in nanoseconds since 1970 UTC.
        public var time: Int64?
        /// The message as it was dissected, for queries; nil if there was none.
        var message: Message?

        package init(content: HTTPContent, firstTime: Int64? = nil, time: Int64? = nil) {
            self.content = content
            self.firstTime = firstTime
            self.time = time
        }
    }

    /// The place of the flow in the table.
    public var place: Int
    /// The number of the request in its flow, from 1; of an answer without a request, the number of the answer.
    public var number: Int
    /// The request; nil if it was not captured.
    public var request: Part?
    /// The answer; nil if there is none.
    public var answer: Part?

    package init(place: Int, number: Int, request: Part? = nil, answer: Part? = nil) {
        self.place = place
        self.number = number
        self.request = request
        self.answer = answer
    }
}

/// A reader of the requests of a capture's flows, with their answers.
public struct HTTPExchanges: ~Copyable, Sendable {
    fileprivate struct Request: Sendable {
        var offset: Int
        var number: Int
        var part: HTTPExchange.Part
    }

    private var dissector: CaptureDissector
    private var state: State

    /// Everything but the dissector, which lends messages while this changes.
    fileprivate struct State: ~Copyable, Sendable {
        var held: HeldBytes
        /// The requests of each flow that are not answered yet.
        var open: [Int: [Request]] = [:]
        /// The numbers of requests and of answers in each flow.
        var requests: [Int: Int] = [:]
        var answers: [Int: Int] = [:]
    }

    fileprivate static let openLimit = 128

    /// A closure that receives an exchange: with its answer, or at the end of the capture.
    public typealias Receiver = (HTTPExchange) -> Void

    /// Creates a reader.
    public init(_ limits: HeldBytes.Limits = HeldBytes.Limits()) {
        dissector = CaptureDissector(wantsFields: false)
        state = State(held: HeldBytes(limits))
    }

    /// Notes the ports of the relayed flow whose packet was read last, before the packet is added.
    ///
    /// - Parameters:
    ///   - flows: The capture's flows.
    ///   - rows: The legs that belong together, with the packet's comments read.
    public mutating func begin(in flows: borrowing CaptureFlows, _ rows: FlowRows) {
        if let place = flows.tcp { dissector.begin(place, rows) }
    }

    /// Reads a packet that was already added to the flows.
    public mutating func add(
        _ packet: CapturedPacket,
        _ bytes: RawSpan,
        in flows: borrowing CaptureFlows,
        to receiver: Receiver
    ) {
        Self.read(packet, bytes, in: flows, &dissector, &state, receiver)
    }

    /// Ends the reading: requests without an answer are received as such.
    public mutating func finish(to receiver: Receiver) {
        Self.finish(&dissector, &state, receiver)
        for (place, requests) in state.open.sorted(by: { $0.key < $1.key }) {
            for request in requests {
                receiver(HTTPExchange(place: place, number: request.number, request: request.part))
            }
        }
        state.open = [:]
    }

    private static func read(
        _ packet: CapturedPacket,
        _ bytes: RawSpan,
        in flows: borrowing CaptureFlows,
        _ dissector: inout CaptureDissector,
        _ state: inout State,
        _ receiver: Receiver
    ) {
        guard let place = flows.tcp else { return }
        if place.hasTurned { state.open[place.index] = nil }
        state.held.add(packet, bytes, in: flows) { place, direction in
            var isHTTP = false
            dissector.unfinished(place, direction) { _, message in isHTTP = message.name.description == "http" }
            return isHTTP
        }
        // A tunnel's flow has datagrams, whose messages have no bytes here.
        dissector.add(packet, bytes, in: flows) { flow, message in
            if flow == place.index { state.take(message, flow, receiver) }
        }
    }

    private static func finish(_ dissector: inout CaptureDissector, _ state: inout State, _ receiver: Receiver) {
        state.held.finish()
        dissector.finish { place, message in state.take(message, place, receiver) }
    }
}

extension HTTPExchanges.State {
    fileprivate mutating func take(_ message: Message, _ place: Int, _ receiver: HTTPExchanges.Receiver) {
        guard !message.isUnfinished else { return }
        guard message.name.description == "http" else { return held.skip(message, of: place) }
        let bytes = held.take(message, of: place)
        guard var content = HTTPContent(bytes, isComplete: message.isComplete) else { return }
        content.isDecrypted = message.isDecrypted
        var part = HTTPExchange.Part(content: content, firstTime: message.firstTime, time: message.time)
        part.message = message
        if content.isRequest {
            begin(part, at: message.range.lowerBound, place, receiver)
        } else {
            end(part, answering: message.answer?.request, place, receiver)
        }
    }

    private mutating func begin(
        _ part: HTTPExchange.Part,
        at offset: Int,
        _ place: Int,
        _ receiver: HTTPExchanges.Receiver
    ) {
        let number = (requests[place] ?? 0) + 1
        requests[place] = number
        open[place, default: []].append(HTTPExchanges.Request(offset: offset, number: number, part: part))
        // A client that never gets answers keeps no memory.
        guard let count = open[place]?.count, count > HTTPExchanges.openLimit,
            let oldest = open[place]?.removeFirst()
        else { return }
        receiver(HTTPExchange(place: place, number: oldest.number, request: oldest.part))
    }

    private mutating func end(
        _ part: HTTPExchange.Part,
        answering offset: Int?,
        _ place: Int,
        _ receiver: HTTPExchanges.Receiver
    ) {
        let number = (answers[place] ?? 0) + 1
        answers[place] = number
        if let offset, let index = open[place]?.firstIndex(where: { $0.offset == offset }),
            let request = open[place]?.remove(at: index)
        {
            if open[place]?.isEmpty == true { open[place] = nil }
            receiver(HTTPExchange(place: place, number: request.number, request: request.part, answer: part))
        } else if part.content.status >= 200 {
            receiver(HTTPExchange(place: place, number: number, answer: part))
        }
    }
}
