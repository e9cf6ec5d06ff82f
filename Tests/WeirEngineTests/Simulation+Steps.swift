import Support
import Testing
import WeirWire

@testable import WeirEngine

/// What happens next, and what must hold whatever has happened.
extension Simulation {
    /// Lets one thing happen that may happen now.
    mutating func step() {
        let direction: Direction = flow.isEcho || roll(2) == 0 ? .upstream : .downstream
        switch roll(42) {
        case 0..<16: receive(direction)
        case 16..<24: tell(.writable(flow.isEcho ? .downstream : direction))
        case 24..<28: pass(.milliseconds(Int64(roll(50))))
        case 28: pass(.milliseconds(Int64(roll(1500))))
        case 29: tell(.held(until: clock.now.instant))
        case 30..<36: dial()
        case 36: if flow.transport == .tcp { end(direction) } else { lose(direction) }
        case 37: if flow.transport == .tcp, roll(4) == 0, mayFail(direction) { abort(direction) { $0.tell($1) } }
        case 38: finishReset()
        case 39, 40: receiveLate(direction)
        default: if roll(20) == 0 { tell(roll(2) == 0 ? .shutdown : .evicted) }
        }
    }

    private func mayFail(_ direction: Direction) -> Bool { direction == .upstream || isConnected }

    mutating func receive(_ direction: Direction) {
        guard !isClosed, !self[direction].hasEnded else { return }
        let isOpenSocket = flow.transport == .udp && direction == .upstream
        guard isOpenSocket || self[direction].isRead else { return }
        let count = flow.transport == .udp ? roll(Self.longestRead + 1) : 1 + roll(Self.longestRead)
        let first = self[direction].received
        let bytes = (first..<(first + count)).map { UInt8($0 % 251) }
        self[direction].received += count
        self[direction].datagramsIn.append(bytes)
        forward(direction, bytes)
    }

    /// Reads a chunk in the turn in which a wake falls due, before the flow is told of that.
    private mutating func receiveLate(_ direction: Direction) {
        if let wakeAt { clock.advance(by: clock.now.instant.duration(to: wakeAt)) }
        receive(direction)
        pass(.zero)
    }

    /// Moves the time on, not beyond the wake that the flow has asked for.
    private mutating func pass(_ duration: Duration) {
        guard let wakeAt, clock.now.instant.advanced(by: duration) >= wakeAt else { return clock.advance(by: duration) }
        clock.advance(by: clock.now.instant.duration(to: wakeAt))
        self.wakeAt = nil
        if !isClosed { tell(.wake) }
    }

    private mutating func dial() {
        guard !isConnected, let attempt = dialing else { return }
        dialing = nil
        tell(isGenerous || roll(3) > 0 || attempt == 0 ? .connected : .connectFailed(.connectionRefused))
    }

    mutating func end(_ direction: Direction) {
        guard self[direction].isRead, !self[direction].hasEnded, !isClosed else { return }
        self[direction].hasEnded = true
        tell(.finished(direction))
    }

    private mutating func lose(_ direction: Direction) {
        if roll(2) == 0 {
            self[direction].received += 17
            self[direction].datagramsIn.append([])
            guard !isClosed else { return }
            tell(.truncated(direction, read: 17))
        } else {
            tell(.overflowed(direction, datagrams: 3))
        }
    }

    mutating func finishReset() {
        guard !resets.isEmpty else { return }
        let direction = resets.removeFirst()
        let unsent = min(roll(10), self[direction].taken.count - self[direction].unsent)
        self[direction].unsent += unsent
        tell(.resetDone(direction, unsent: unsent))
    }

    /// Lets both sources end and the kernel take all: the flow must come to its end.
    mutating func drain() {
        isGenerous = true
        for round in 0..<1000 where !isClosed {
            // An end that a toxic holds back goes on when that is taken away.
            if round == 20, flow.transport == .tcp { removeToxics() }
            if flow.transport == .udp {
                tell(.drained)
                if isClosed { return }
            }
            dial()
            for direction in [Direction.upstream, .downstream] {
                if flow.transport == .tcp { end(direction) }
                tell(.writable(direction))
            }
            finishReset()
            pass(.seconds(1))
        }
        #expect(isClosed, "the flow never ends")
    }

    private mutating func removeToxics() { setToxics(.none) }

    /// Brings the flow to other toxics, as the relay does between two chunks.
    mutating func setToxics(_ set: ToxicSet) { tell(.reconfigured(set)) }

    // MARK: - What must hold

    func check() {
        guard keepsBytes else { return }
        let echoLoss = flow.isEcho ? up.dropped : 0
        for direction in flow.isEcho ? [Direction.downstream] : [.upstream, .downstream] {
            let received = flow.isEcho ? up.received : self[direction].received
            let side = self[direction]
            let source: Direction = flow.isEcho ? .upstream : direction
            let chain = flow[source].chain
            let queued = flow[direction].queue.count + chain.stages.reduce(0) { $0 + $1.queue.bytes }
            let told = flow.queuedBytes(direction) + (flow.isEcho ? flow.queuedBytes(source) : 0)
            #expect(told == queued)
            #expect(side.taken.count - side.unsent + side.dropped + echoLoss + queued == received, "bytes are missing")
            if !chain.stages.isEmpty {
                // One read, or datagram, may go beyond the bound, cut in pieces of which each has its price.
                let read = Self.longestRead * (1 + ReleaseQueue.entryCost)
                #expect(flow.held(source) <= 4000 + read, "the toxics' queues grow without a bound")
            } else if flow.transport == .tcp {
                #expect(queued < 100 + Self.longestRead, "the queue grows without a bound: \(flow.id) \(flow.state)")
            } else {
                #expect(flow[direction].queue.cost <= 1000, "the queue grows without a bound")
            }
        }
    }

    func checkEnd() {
        #expect(records.count { $0 == .opened } == 1)
        #expect(records.first { if case .dropped = $0 { false } else { true } } == .opened)
        let closes = records.compactMap { if case .closed(let close) = $0 { close } else { nil } }
        #expect(closes.count == 1)
        if case .closed = records.last {} else { Issue.record("the last record is not the end's") }
        guard let close = closes.first else { return }
        for direction in [Direction.upstream, .downstream] {
            let side = self[direction]
            let counters = direction == .upstream ? close.upstream : close.downstream
            #expect(counters.droppedBytes == UInt64(side.dropped))
            let chunks = records.compactMap { record -> ChunkRecord? in
                if case .forwarded(let chunk) = record, chunk.direction == direction { chunk } else { nil }
            }
            if recordsChunks {
                #expect(counters.bytes == chunks.reduce(0) { $0 + UInt64($1.length) })
                #expect(chunks.map(\.number) == Array(0..<counters.chunks))
            } else {
                #expect(chunks.isEmpty)
            }
            checkOrder(direction)
            if recordsChunks { checkShown(direction) }
        }
    }

    /// What went to a direction's receiver is what the records showed, and nothing else; what was shown and lost is counted.
    private func checkShown(_ direction: Direction) {
        let side = self[direction]
        guard flow.transport == .udp else {
            let shown = Array(side.shown.joined())
            #expect(side.taken.count <= shown.count, "bytes left without a record")
            #expect(side.taken == Array(shown.prefix(side.taken.count)), "records of other bytes")
            return
        }
        var rest = side.shown[...]
        for datagram in side.datagramsOut {
            guard let place = rest.firstIndex(of: datagram) else {
                Issue.record("a datagram left without a record, or in another order")
                return
            }
            rest = rest[(place + 1)...]
        }
    }

    private func checkOrder(_ direction: Direction) {
        guard keepsBytes else { return }
        let source = flow.isEcho ? direction.opposite : direction
        let side = self[direction]
        if flow.transport == .tcp {
            #expect(side.taken == (0..<side.taken.count).map { UInt8($0 % 251) }, "bytes are out of order")
        } else if isLossless {
            // What arrived is what was sent, in order, with gaps.
            var rest = self[source].datagramsIn[...]
            for datagram in side.datagramsOut {
                guard let place = rest.firstIndex(of: datagram) else {
                    Issue.record("a datagram is out of order or was changed")
                    return
                }
                rest = rest[(place + 1)...]
            }
        }
    }
}
