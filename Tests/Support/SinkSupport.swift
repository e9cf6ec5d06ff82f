package import WeirEngine
package import WeirWire

/// Makes a record on the path of every dialogue, at the clock's start.
package func record(
    _ happening: FlowRecord.Happening,
    _ transport: Transport = .tcp,
    flow: UInt64 = 1,
    path: FlowPath = Playbook.path
) -> FlowRecord {
    FlowRecord(
        flow: FlowID(flow),
        transport: transport,
        path: path,
        moment: ManualClock.start,
        happening: happening
    )
}

/// Makes the record of a chunk.
package func chunk(
    _ direction: Direction,
    at offset: UInt64,
    _ length: Int,
    echo: Echo? = nil,
    peer: Endpoint? = nil
) -> FlowRecord.Happening {
    var chunk = ChunkRecord(
        direction: direction,
        number: 0,
        offset: offset,
        length: length,
        receivedAt: ManualClock.start.instant,
        echo: echo
    )
    chunk.peer = peer
    return .forwarded(chunk)
}

extension Sink {
    /// Renders one record, with a text as its bytes.
    package mutating func rendered(_ record: FlowRecord, _ text: String = "") -> String {
        rendered(record, Array(text.utf8))
    }

    /// Renders one record, with some bytes.
    package mutating func rendered(_ record: FlowRecord, _ bytes: [UInt8]) -> String {
        var output = ByteBuffer()
        render(record, bytes: bytes.span.bytes, into: &output)
        return output.string
    }

    /// Renders what comes after the last record.
    package mutating func finished() -> String {
        var output = ByteBuffer()
        finish(into: &output)
        return output.string
    }

    /// Renders what was left out.
    package mutating func loss(chunks: UInt64, bytes: UInt64) -> String {
        var output = ByteBuffer()
        renderLoss(chunks: chunks, bytes: bytes, into: &output)
        return output.string
    }
}

/// Holds one record of every kind that the sinks know.
package enum Sample {
    package static let echo = Echo(offset: 1234, delay: .microseconds(512))
    package static let peer = Endpoint(address: .loopbackV4, port: 1069)

    /// Makes the record of a chunk that toxics held for a time, and changed.
    package static func tampered(
        _ direction: Direction = .upstream,
        at offset: UInt64,
        _ length: Int,
        held: Duration = .milliseconds(100),
        _ changes: [ToxicChange] = []
    ) -> ChunkRecord {
        var chunk = ChunkRecord(
            direction: direction,
            number: 0,
            offset: offset,
            length: length,
            receivedAt: ManualClock.start.instant.advanced(by: .zero - held)
        )
        chunk.isTampered = true
        chunk.changes = changes
        return chunk
    }

    /// Makes the change of a chunk by a toxic with a name.
    package static func change(
        _ kind: ToxicChange.Kind,
        _ count: Int,
        at offset: Int = 0,
        by name: String = "x"
    ) -> ToxicChange {
        var change = ToxicChange(kind, count: count, offset: offset)
        change.toxic = name
        return change
    }

    /// Makes the record of a toxic's effect on a flow.
    package static func toxic(
        _ direction: Direction = .upstream,
        name: String = "x",
        _ effect: ToxicRecord.Effect
    ) -> FlowRecord.Happening {
        .toxic(ToxicRecord(direction: direction, name: name, type: "latency", effect: effect))
    }

    /// Makes the record of a message with a summary.
    package static func message(
        _ direction: Direction = .upstream,
        _ range: Range<Int> = 0..<5,
        _ summary: String = "GET key",
        _ change: (inout Message) -> Void = { _ in }
    ) -> FlowRecord.Happening {
        var message = Message()
        message.name = "redis"
        message.direction = direction
        message.range = range
        message.summary = MessageText(escaping: summary)
        message.isComplete = true
        change(&message)
        return .message(message)
    }

    package static func loss(_ bytes: UInt64, _ datagrams: UInt64, _ reason: DropReason) -> FlowRecord.Happening {
        .dropped(DropRecord(direction: .upstream, bytes: bytes, datagrams: datagrams, reason: reason))
    }

    package static func closed(
        _ up: Counters,
        _ down: Counters,
        _ reason: CloseReason = .finished
    ) -> FlowRecord.Happening {
        .closed(CloseRecord(reason: reason, upstream: up, downstream: down, duration: .microseconds(1042)))
    }

    /// Lists records whose counts and texts are hard to keep apart from a dump.
    package static var happenings: [FlowRecord.Happening] {
        let many = Counters.of(1_000_000, in: 1000, dropped: 3000, droppedDatagrams: 200)
        let reasons: [DropReason] = [.reset, .shutdown, .closed, .queueFull, .receiveBufferFull, .truncated]
        let errors = (0...140).map { ErrorNumber($0) }
        return [
            .opened, .connected(dial: .seconds(1), isRerouted: true), .connected(dial: .seconds(1), isRerouted: false),
            chunk(.upstream, at: 1000, 4096), chunk(.downstream, at: 4096, 1000, echo: echo), .ended(.upstream),
            .ended(.downstream),
        ] + reasons.map { loss(1000, 2000, $0) } + errors.map { loss(100, 0, .error($0)) }
            + errors.map { .refused($0) } + CloseReason.allCases.map { closed(many, many, $0) }
    }
}
