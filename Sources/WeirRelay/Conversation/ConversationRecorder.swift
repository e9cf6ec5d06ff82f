import WeirEngine
import WeirWire

/// A maker of a conversation's records, if it has an observer.
struct ConversationRecorder {
    private let observer: Conversation.Observer?
    private let transport: Transport
    private let path: FlowPath
    private let opened = SystemClock.now()
    private var upstream = Counters()
    private var downstream = Counters()

    init(_ connection: borrowing Connection, _ observer: Conversation.Observer?) {
        self.observer = observer
        transport = connection.transport
        path = FlowPath(client: connection.local, listener: connection.peer)
    }

    func record(_ happening: FlowRecord.Happening) { record(happening, path, at: SystemClock.now()) }

    /// Records that a datagram was refused; this record has the endpoints in the fields that sinks read.
    func refused(_ error: ErrorNumber) {
        var path = path
        path.egress = path.client
        path.server = path.listener
        record(.refused(error), path, at: SystemClock.now())
    }

    private func record(
        _ happening: FlowRecord.Happening,
        _ path: FlowPath,
        at moment: Moment,
        bytes: RawSpan = RawSpan()
    ) {
        guard let observer else { return }
        let record = FlowRecord(
            flow: FlowID(1),
            transport: transport,
            path: path,
            moment: moment,
            happening: happening
        )
        observer(record, bytes)
    }

    /// Records the bytes of one send or one receive.
    mutating func chunk(_ direction: Direction, _ bytes: RawSpan) {
        let counters = direction == .upstream ? upstream : downstream
        if observer != nil {
            let now = SystemClock.now()
            let chunk = ChunkRecord(
                direction: direction,
                number: counters.chunks,
                offset: counters.bytes,
                length: bytes.byteCount,
                receivedAt: now.instant
            )
            record(.forwarded(chunk), path, at: now, bytes: bytes)
        }
        count(direction) {
            $0.bytes += UInt64(bytes.byteCount)
            $0.chunks += 1
        }
    }

    /// Records bytes that will not reach their receiver.
    mutating func dropped(_ direction: Direction, _ bytes: Int, _ reason: DropReason) {
        let datagrams: UInt64 = transport == .udp ? 1 : 0
        record(.dropped(DropRecord(direction: direction, bytes: UInt64(bytes), datagrams: datagrams, reason: reason)))
        count(direction) {
            $0.droppedBytes += UInt64(bytes)
            $0.droppedDatagrams += datagrams
        }
    }

    func close(_ reason: CloseReason) {
        let now = SystemClock.now()
        let duration = opened.instant.duration(to: now.instant)
        let close = CloseRecord(reason: reason, upstream: upstream, downstream: downstream, duration: duration)
        record(.closed(close), path, at: now)
    }

    private mutating func count(_ direction: Direction, _ change: (inout Counters) -> Void) {
        switch direction {
        case .upstream: change(&upstream)
        case .downstream: change(&downstream)
        }
    }
}
