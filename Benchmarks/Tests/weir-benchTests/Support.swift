import Glibc
import Testing

@testable import weir_bench

extension Tag {
    /// Tests with sockets.
    @Tag static var network: Self
    /// Tests that take seconds.
    @Tag static var slow: Self
}

/// A folder of a test's own, removed with all that is in it.
final class ScratchFolder: Sendable {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    deinit { folder.remove() }

    /// The absolute path.
    var path: String { folder.path }
}

/// The accepted end of a connection over the loopback: it blocks, for at most 10 s a call.
final class BlockingPeer {
    private var raw: Int32

    /// Accepts the one connection that waits at a listener.
    init(from listener: borrowing Descriptor) throws {
        var raw: Int32 = -1
        let number = listener.number
        try untilDone {
            raw = accept(number, nil, nil)
            return raw >= 0
        }
        self.raw = raw
        var patience = timeval(tv_sec: 10, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(raw, SOL_SOCKET, option, &patience, socklen_t(MemoryLayout<timeval>.size))
        }
    }

    deinit { if raw >= 0 { close(raw) } }

    func send(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.send(raw, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { throw BenchError.lastCall("send", on: "a peer") }
            rest = rest.dropFirst(count)
        }
    }

    /// Reads so many bytes, or fewer if the other end finishes.
    func receive(_ count: Int) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let received = recv(raw, &bytes, count, Int32(MSG_WAITALL))
        guard received >= 0 else { throw BenchError.lastCall("recv", on: "a peer") }
        return Array(bytes[..<received])
    }

    /// Sends nothing more.
    func finish() { shutdown(raw, Int32(SHUT_WR)) }

    func reset() throws {
        try Socket.resetOnClose(raw)
        close(raw)
        raw = -1
    }
}

/// Runs a body until it says that it is done.
///
/// - Throws: if that takes more than 30 s.
func untilDone(_ body: () -> Bool) throws {
    let end = ContinuousClock.now + .seconds(30)
    while !body() {
        guard ContinuousClock.now < end else { throw BenchError.child(program: "the test", reason: "it does not end") }
        sched_yield()
    }
}
