import Glibc
import Histogram

/// Sends 64 bytes on each connection and waits for them, over and over, timing each round trip.
///
/// With a rate, round trips begin at that rate, on whichever connection waits for none.
final class PingLoad: LoadWorker, @unchecked Sendable {  // See LoadWorker.
    private struct Ping {
        var sequence: UInt64 = 0
        var sentAt: UInt64 = 0
        var received = 0
    }

    private let connections = DescriptorTable()
    private let poller: Poller
    private let duration: UInt64
    /// Nanoseconds between two round trips that begin; nil without a rate.
    private let interval: Double?
    /// Ends round trips at a rate, once those underway are back; nil when the time alone does.
    private let stop: StopFlag?
    private let buffer = UnsafeMutableRawPointer.allocate(byteCount: Agreed.message, alignment: 64)
    private var pings: ContiguousArray<Ping>
    private var outcome = LoadOutcome()
    private var latencies = LoadOutcome.emptyHistogram()

    /// Opens the connections and makes one round trip on each.
    init(_ settings: LoadSettings, connections count: Int, until stop: StopFlag? = nil) throws(BenchError) {
        self.stop = stop
        poller = try Poller()
        duration = Clock.nanoseconds(ofSeconds: settings.seconds)
        let rate = Double(settings.rate) * Double(count) / Double(max(1, settings.connections))
        interval = rate > 0 ? 1e9 / rate : nil
        pings = ContiguousArray(repeating: Ping(), count: count)
        buffer.initializeMemory(as: UInt8.self, repeating: 0x55, count: Agreed.message)
        // Behind a delay, thousands of first round trips one after the other would take minutes.
        for index in 0..<count {
            connections.append(try Socket.connect(port: settings.port))
            try send(index, at: 0)
        }
        for index in 0..<count { try receiveWhole(index) }
    }

    deinit {
        buffer.deallocate()
    }

    func run() throws(BenchError) -> LoadOutcome {
        let deadline = Clock.nanoseconds() + duration
        if let interval {
            try runPaced(until: deadline, every: interval)
        } else if pings.count == 1 {
            try runBlocking(until: deadline)
        } else {
            try runPolling(until: deadline)
        }
        outcome.end = Clock.nanoseconds()
        outcome.bytes = outcome.operations * UInt64(Agreed.message)
        outcome.latencies = latencies
        return outcome
    }

    /// One connection needs no epoll: send, recv.
    private func runBlocking(until deadline: UInt64) throws(BenchError) {
        var now = Clock.nanoseconds()
        while now < deadline {
            try send(0, at: now)
            try receiveWhole(0)
            let end = Clock.nanoseconds()
            latencies.record(end &- now)
            outcome.operations &+= 1
            now = end
        }
    }

    private func runPolling(until deadline: UInt64) throws(BenchError) {
        for index in pings.indices {
            try Socket.makeNonblocking(connections.numbers[index])
            try poller.add(connections.numbers[index], events: Poller.readable, tag: index)
            try send(index, at: Clock.nanoseconds())
        }
        var lastProgress = Clock.nanoseconds()
        while true {
            let count = try poller.wait(milliseconds: 100)
            let now = Clock.nanoseconds()
            if now >= deadline { return }
            if count > 0 { lastProgress = now }
            guard now &- lastProgress < 10_000_000_000 else { throw .load("no echo for 10 s") }
            for event in 0..<count {
                let index = poller.tag(event)
                if let end = try receive(index) { try send(index, at: end) }
            }
        }
    }

    /// Looks each millisecond how many round trips are due.
    private func runPaced(until deadline: UInt64, every interval: Double) throws(BenchError) {
        for index in pings.indices {
            try Socket.makeNonblocking(connections.numbers[index])
            try poller.add(connections.numbers[index], events: Poller.readable, tag: index)
        }
        var idle = ContiguousArray(pings.indices)
        let start = Clock.nanoseconds()
        var (begun, lastEcho) = (0.0, start)
        while true {
            let now = Clock.nanoseconds()
            if now >= deadline { return }
            guard now &- lastEcho < 10_000_000_000 else { throw .load("no echo for 10 s") }
            let isStopped = stop?.isSet == true
            if isStopped && idle.count == pings.count { return }
            let due = Double(now - start) / interval
            while !isStopped, begun < due, let index = idle.popLast() {
                try send(index, at: now)
                begun += 1
            }
            let count = try poller.wait(milliseconds: 1)
            for event in 0..<count {
                let index = poller.tag(event)
                guard let end = try receive(index) else { continue }
                lastEcho = end
                idle.append(index)
            }
        }
    }

    @inline(__always)
    private func send(_ index: Int, at now: UInt64) throws(BenchError) {
        pings[index].sequence &+= 1
        pings[index].sentAt = now
        pings[index].received = 0
        buffer.storeBytes(of: pings[index].sequence, as: UInt64.self)
        let count = Glibc.send(connections.numbers[index], buffer, Agreed.message, Int32(MSG_NOSIGNAL))
        guard count == Agreed.message else { throw .lastCall("send", on: "ping connection \(index)") }
    }

    /// Takes what is there; when the echo is whole, times it and returns the time.
    @inline(__always)
    private func receive(_ index: Int) throws(BenchError) -> UInt64? {
        let wanted = Agreed.message - pings[index].received
        let count = recv(connections.numbers[index], buffer, wanted, 0)
        guard count > 0 else {
            if count < 0 && (errno == EAGAIN || errno == EINTR) { return nil }
            throw .load("ping connection \(index) was closed")
        }
        if pings[index].received == 0 && count >= 8 { try check(index) }
        pings[index].received += count
        guard count == wanted else { return nil }
        let now = Clock.nanoseconds()
        latencies.record(now &- pings[index].sentAt)
        outcome.operations &+= 1
        return now
    }

    @inline(__always)
    private func receiveWhole(_ index: Int) throws(BenchError) {
        var received = 0
        while received < Agreed.message {
            let count = recv(connections.numbers[index], buffer + received, Agreed.message - received, 0)
            if count < 0 && errno == EINTR { continue }
            if count < 0 { throw .lastCall("recv", on: "ping connection \(index)") }
            guard count > 0 else { throw .load("ping connection \(index) was closed") }
            received += count
        }
        try check(index)
    }

    @inline(__always)
    private func check(_ index: Int) throws(BenchError) {
        guard buffer.load(as: UInt64.self) == pings[index].sequence else {
            throw .load("ping connection \(index) got an echo of something else")
        }
    }
}
