public import Testing
public import WeirEngine
public import WeirWire

/// A dialogue with a flow: an event in, the exact actions that must come out, one line for each step.
///
///     var flow = Playbook.connected(.tcp)
///     flow(.received(.upstream), "hello", gives: .data(.upstream, 0, at: 0, 5), .send(.upstream))
///
/// Time stands still until `advance`. The dialogue replaces the relay: it passes the bytes, and performs nothing.
public struct Playbook: Sendable {
    /// The flow under test.
    public private(set) var flow: Flow
    private var clock = ManualClock()

    /// The endpoints of every dialogue.
    public static let path = FlowPath(
        client: Endpoint(address: .loopbackV4, port: 51_514),
        listener: Endpoint(address: .loopbackV4, port: 9000),
        egress: Endpoint(address: .loopbackV4, port: 42_332),
        server: serverEndpoint
    )
    /// The server's endpoint in every dialogue.
    public static let serverEndpoint = Endpoint(address: .loopbackV4, port: 65_432)

    /// Creates a flow that has not started; `change` changes the default settings.
    public init(
        _ transport: Transport,
        isEcho: Bool = false,
        toxics: [Direction: [any Toxic]] = [:],
        set: ToxicSet? = nil,
        _ change: (inout FlowSettings) -> Void = { _ in }
    ) {
        var settings = FlowSettings()
        change(&settings)
        flow = Flow(
            id: FlowID(1),
            transport: transport,
            client: Playbook.path.client,
            listener: Playbook.path.listener,
            isEcho: isEcho,
            toxics: set ?? ToxicSet(toxics),
            seed: 7,
            settings: settings,
            at: clock.now
        )
    }

    /// Creates a flow that is connected to its server, at the clock's start, whose dial and its time-out are over.
    public static func connected(
        _ transport: Transport,
        toxics: [Direction: [any Toxic]] = [:],
        set: ToxicSet? = nil,
        _ change: (inout FlowSettings) -> Void = { _ in }
    ) -> Playbook {
        var playbook = Playbook(transport, toxics: toxics, set: set, change)
        playbook.run([.started(attempts: 1), .dialed(egress: path.egress, server: serverEndpoint), .connected])
        return playbook
    }

    /// Creates a started flow that is its own server.
    public static func echo(
        _ transport: Transport,
        toxics: [Direction: [any Toxic]] = [:],
        set: ToxicSet? = nil,
        _ change: (inout FlowSettings) -> Void = { _ in }
    ) -> Playbook {
        var playbook = Playbook(transport, isEcho: true, toxics: toxics, set: set, change)
        playbook.run([.started(attempts: 1)])
        return playbook
    }

    private mutating func run(_ events: [FlowEvent]) {
        var turn = Turn(at: clock.now)
        for event in events { flow.handle(event, in: &turn) }
    }
}

// MARK: - Steps

extension Playbook {
    /// Starts the flow, and checks its actions.
    public mutating func start(
        attempts: Int = 1,
        gives expected: Expectation...,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        tell(.started(attempts: attempts), [], expected, sourceLocation)
    }

    /// Passes an event without bytes to the flow, and checks its actions.
    public mutating func callAsFunction(
        _ event: FlowEvent,
        gives expected: Expectation...,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        tell(event, [], expected, sourceLocation)
    }

    /// Passes an event with the bytes of a text to the flow, and checks its actions.
    public mutating func callAsFunction(
        _ event: FlowEvent,
        _ text: String,
        gives expected: Expectation...,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        tell(event, Array(text.utf8), expected, sourceLocation)
    }

    /// Passes an event with a number of equal bytes to the flow, and checks its actions.
    public mutating func callAsFunction(
        _ event: FlowEvent,
        count: Int,
        gives expected: Expectation...,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        tell(event, [UInt8](repeating: 0x78, count: count), expected, sourceLocation)
    }

    /// Advances the time without an event.
    public mutating func advance(by duration: Duration) {
        clock.advance(by: duration)
    }

    /// Sets the time of day forward or back without an event.
    public mutating func setWallClock(ahead duration: Duration) {
        clock.setWall(ahead: duration)
    }

    /// Counts as activity, as when a full sink made the relay wait.
    public mutating func touch() {
        run([.held(until: clock.now.instant)])
    }

    /// Returns the front of a direction's queue as text; nil if the queue is empty.
    public func queued(_ direction: Direction) -> String? {
        var flow = flow
        return flow.offerQueued(direction) { String(decoding: $0, as: UTF8.self) }
    }

    /// Applies a new set of toxics to the flow, and checks its actions.
    public mutating func setToxics(
        _ toxics: ToxicSet,
        gives expected: Expectation...,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        tell(.reconfigured(toxics), [], expected, sourceLocation)
    }

    private mutating func tell(
        _ event: FlowEvent,
        _ bytes: [UInt8],
        _ expected: [Expectation],
        _ sourceLocation: SourceLocation
    ) {
        var turn = Turn(at: clock.now)
        flow.handle(event, bytes: bytes.span.bytes, in: &turn)
        check(turn, expected, "\(event)", sourceLocation)
    }

    private mutating func check(
        _ turn: Turn,
        _ expected: [Expectation],
        _ step: String,
        _ sourceLocation: SourceLocation
    ) {
        // The relay attempts each send at once.
        for case .sendQueued(let direction) in turn.actions { flow.offerQueued(direction) { _ in } }
        var copies = turn.records.compactMap(\.copy)
        let wanted = expected.map { $0.step(for: flow, at: clock.now, &copies) }
        #expect(turn.steps == wanted, "after \(step)", sourceLocation: sourceLocation)
    }
}
