package import Testing
package import WeirEngine
package import WeirRelay
package import WeirWire

/// Starts a relay, lets a test use it, stops it, and checks the invariants of every relay's records.
///
/// - Parameters:
///   - routes: The routes, as on the command line; `tcp:0` without a target sends back the bytes it receives.
///   - interest: The records that the collector wants.
///   - grace: The time that flows may continue after the body is done.
///   - configure: Changes the configuration.
///   - outputs: Further outputs.
///   - pipes: The pipes that the further outputs write to.
///   - reports: Receives the messages to the user.
///   - sourceLocation: The place at which a failed check is reported.
///   - body: Receives the running relay, and the collector of its records.
/// - Returns: The result of the body.
/// - Throws: The error of the body, and an error if the relay does not start.
@discardableResult
package func withRelay<Result>(
    _ routes: [String],
    interest: Interest = .chunks,
    grace: Duration = .seconds(5),
    configure: (inout RelayConfiguration) -> Void = { _ in },
    outputs: [SinkOutput] = [],
    pipes: [OutputPipe] = [],
    reports: Reports = Reports(),
    sourceLocation: SourceLocation = #_sourceLocation,
    _ body: (Supervisor, RecordCollector) async throws -> Result
) async throws -> Result {
    var configuration = RelayConfiguration(
        routes: try routes.map { try $0.contains("=") ? Route(parsing: $0) : Route(echo: $0) }
    )
    configure(&configuration)
    let collector = RecordCollector()
    let relay = try await Supervisor(
        configuration,
        outputs: [collector.output(interest)] + outputs,
        report: { reports.add($0) },
        sinkReport: { reports.add($0) }
    )
    let result: Result
    do {
        result = try await body(relay, collector)
    } catch {
        // Stopping would wait for an output that is no longer read.
        for pipe in pipes { pipe.closeReader() }
        await relay.stop(grace: .zero)
        throw error
    }
    await relay.stop(grace: grace)
    #expect(relay.openFlows == 0 && relay.openSessions == 0, sourceLocation: sourceLocation)
    checkRecords(collector.records, interest: interest, sourceLocation)
    return result
}

/// Starts a relay with one route.
@discardableResult
package func withRelay<Result>(
    _ route: String,
    interest: Interest = .chunks,
    grace: Duration = .seconds(5),
    configure: (inout RelayConfiguration) -> Void = { _ in },
    outputs: [SinkOutput] = [],
    pipes: [OutputPipe] = [],
    reports: Reports = Reports(),
    sourceLocation: SourceLocation = #_sourceLocation,
    _ body: (Supervisor, RecordCollector) async throws -> Result
) async throws -> Result {
    try await withRelay(
        [route],
        interest: interest,
        grace: grace,
        configure: configure,
        outputs: outputs,
        pipes: pipes,
        reports: reports,
        sourceLocation: sourceLocation,
        body
    )
}

extension Supervisor {
    /// The endpoint of the first route's listener.
    package nonisolated var endpoint: Endpoint { listeners[0].endpoint }
}

/// Checks that each flow's records are complete and in order.
///
/// There is one `opened` record at the front and one `closed` at the end, time runs forward, no chunk is missing
/// between them, and the summary counts the chunks shown.
private func checkRecords(_ records: [FlowRecord], interest: Interest, _ sourceLocation: SourceLocation) {
    for (id, flow) in Dictionary(grouping: records, by: \.flow) {
        let name = Comment(rawValue: "flow \(id)")
        #expect(flow.first?.isOpened == true, name, sourceLocation: sourceLocation)
        #expect(flow.last?.closed != nil, name, sourceLocation: sourceLocation)
        #expect(flow.count(where: \.isOpened) == 1, name, sourceLocation: sourceLocation)
        #expect(flow.count { $0.closed != nil } == 1, name, sourceLocation: sourceLocation)
        let isInOrder = zip(flow, flow.dropFirst()).allSatisfy { $0.moment.instant <= $1.moment.instant }
        #expect(isInOrder, name, sourceLocation: sourceLocation)
        guard let closed = flow.last?.closed else { continue }
        checkBalance(flow, closed, sourceLocation)
        var shown: [Direction: Counters] = [.upstream: Counters(), .downstream: Counters()]
        for record in flow {
            if let chunk = record.forwarded {
                let before = shown[chunk.direction, default: Counters()]
                let isNext = chunk.number == before.chunks && chunk.offset == before.bytes
                #expect(isNext, "flow \(id), chunk \(chunk)", sourceLocation: sourceLocation)
                shown[chunk.direction, default: Counters()].chunks += 1
                shown[chunk.direction, default: Counters()].bytes += UInt64(chunk.length)
            }
            if let loss = record.dropped {
                shown[loss.direction, default: Counters()].droppedBytes += loss.bytes
                shown[loss.direction, default: Counters()].droppedDatagrams += loss.datagrams
            }
        }
        if interest == .flows {
            shown[.upstream]?.chunks = closed.upstream.chunks
            shown[.upstream]?.bytes = closed.upstream.bytes
            shown[.downstream]?.chunks = closed.downstream.chunks
            shown[.downstream]?.bytes = closed.downstream.bytes
        }
        #expect(
            shown == [.upstream: closed.upstream, .downstream: closed.downstream],
            name,
            sourceLocation: sourceLocation
        )
    }
}

/// Checks that what one peer of a TCP flow sent is what the other one received and what was dropped, for each direction, and
/// that nothing is dropped where nothing should be.
///
/// A peer that closed before it had received everything may have lost the rest; bytes that a peer's kernel still held when it
/// closed may have arrived or not.
private func checkBalance(_ flow: [FlowRecord], _ closed: CloseRecord, _ sourceLocation: SourceLocation) {
    guard let path = flow.last?.path, flow.last?.transport == .tcp else { return }
    let client = SocketTally.take(path.client, path.listener)
    let server = SocketTally.take(path.server, path.egress)
    let isMet = flow.contains { if case .toxic = $0.happening { true } else { $0.forwarded?.isTampered == true } }
    if closed.reason == .finished, !isMet {
        let dropped = closed.upstream.droppedBytes + closed.downstream.droppedBytes
        #expect(dropped == 0, "\(path): a flow that finished lost bytes", sourceLocation: sourceLocation)
    }
    guard !flow.contains(where: { $0.forwarded?.changes.isEmpty == false }), let client else { return }
    let isReached = flow.contains(where: \.isConnected)
    for direction in Direction.allCases {
        var dropped = (direction == .upstream ? closed.upstream : closed.downstream).droppedBytes
        let source = direction == .upstream ? client : server
        var target = direction == .upstream ? server : client
        if path.server == nil, closed.upstream.bytes > 0 {
            // The relay is the server: what the client sends comes back to it.
            guard direction == .upstream else { continue }
            target = client
            dropped += closed.downstream.droppedBytes
        }
        guard let source, target != nil || !isReached else { continue }
        let (taken, isComplete) = target?.taken ?? (0, true)
        let given = source.given
        let name = Comment(rawValue: "\(path) \(direction): \(given) sent, \(taken) received, \(dropped) dropped")
        #expect(taken + Int(dropped) <= given.upperBound, name, sourceLocation: sourceLocation)
        if isComplete { #expect(taken + Int(dropped) >= given.lowerBound, name, sourceLocation: sourceLocation) }
    }
}

/// Runs a blocking body on a thread of its own: Swift's own threads must not wait.
package func runThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        do {
            try startThread(named: "weir-test") { continuation.resume(with: Swift.Result(catching: body)) }
        } catch {
            continuation.resume(throwing: error)
        }
    }
}

/// The messages of a relay to its user.
package final class Reports: Sendable {
    private let state = Lock<(lines: [String], sinks: [SinkReport])>(([], []))

    package init() {}

    /// The lines.
    package var lines: [String] { state.withLock { $0.lines } }
    /// The reports about outputs.
    package var sinks: [SinkReport] { state.withLock { $0.sinks } }

    package func add(_ line: String) { state.withLock { $0.lines.append(line) } }
    package func add(_ report: SinkReport) { state.withLock { $0.sinks.append(report) } }
}
