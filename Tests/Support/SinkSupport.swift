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
