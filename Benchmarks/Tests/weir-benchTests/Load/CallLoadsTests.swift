import Glibc
import Testing

@testable import weir_bench

@Suite("Loads of single calls", .tags(.network), .timeLimit(.minutes(1)))
struct CallLoadsTests {
    private func settings(_ kind: LoadKind, port: UInt16 = 0) -> LoadSettings {
        var settings = LoadSettings(kind: kind, port: port)
        settings.seconds = 0.05
        settings.connectionLimit = 20
        return settings
    }

    @Test(
        "Calls that name no destination are counted by the thousand, and timed each",
        arguments: [LoadKind.call, .checkedCall]
    )
    func calls(_ kind: LoadKind) throws {
        let report = try LoadDriver.run(settings(kind))
        #expect(report.operations >= 1000 && report.operations.isMultiple(of: 1000))
        #expect(try #require(report.latency).p50 > 0)
        #expect(report.relaySeconds == nil)
    }

    @Test("Connections are made up to the limit")
    func connects() throws {
        let listener = try Socket.listen()
        let report = try LoadDriver.run(settings(.connectCall, port: try Socket.port(of: listener)))
        #expect((1...20).contains(report.operations))
        #expect(try #require(report.latency).p50 > 0)
    }

    @Test("A port on which nobody listens refuses, and a refused connection is a failure where none is expected")
    func refused() throws {
        #expect((1...20).contains(try LoadDriver.run(settings(.refusedCall)).operations))
        let socket = try Socket.make(.tcp, nonblocking: false)
        try Socket.bind(socket, port: 0)
        let port = try Socket.port(of: socket)
        #expect(throws: BenchError.self) { try LoadDriver.run(settings(.connectCall, port: port)) }
    }

    @Test("Datagrams are sent to a server that says nothing")
    func sends() throws {
        let server = try Socket.bindUDP()
        let report = try LoadDriver.run(settings(.sendCall, port: try Socket.port(of: server)))
        #expect(report.operations >= 64 && report.bytes == 64 * report.operations)
    }

    @Test("Datagrams come back, and those that do not are counted", arguments: [LoadKind.receiveCall, .echoCall])
    func echoes(_ kind: LoadKind) throws {
        let echo = try EchoServer()
        let report = try LoadDriver.run(settings(kind, port: echo.port))
        echo.stop()
        #expect(report.operations > 0)
        // Those that come late, on a busy machine, count until they are received.
        #expect(report.lost != nil)
        #expect(try #require(report.latency).p50 > 0)
    }

    @Test("A stream by sendmsg is whole, and a server that says another count is a failure", arguments: [true, false])
    func messages(_ isWhole: Bool) throws {
        let listener = try Socket.listen()
        let port = try Socket.port(of: listener)
        let number = listener.number
        let thread = try WorkerThread { Self.sink(number, countsAll: isWhole) }
        defer { thread.join() }
        var settings = settings(.messages, port: port)
        settings.size = 1000
        guard isWhole else {
            #expect(throws: BenchError.self) { try LoadDriver.run(settings) }
            return
        }
        let report = try LoadDriver.run(settings)
        #expect(report.bytes > 0 && report.bytes <= 1000 * report.operations)
    }

    /// Greets the one client of a listener, takes its bytes, and says how many came.
    private static func sink(_ listener: Int32, countsAll: Bool) {
        var polled = pollfd(fd: listener, events: Int16(POLLIN), revents: 0)
        guard poll(&polled, 1, 10_000) > 0 else { return }
        let client = Descriptor(accept(listener, nil, nil))
        send(client.number, "W", 1, Int32(MSG_NOSIGNAL))
        var (total, buffer) = (UInt64(0), [UInt8](repeating: 0, count: 65536))
        while true {
            let count = recv(client.number, &buffer, buffer.count, 0)
            guard count > 0 else { break }
            total += UInt64(count)
        }
        if !countsAll { total += 1 }
        var answer = total.littleEndian
        send(client.number, &answer, 8, Int32(MSG_NOSIGNAL))
    }
}

/// Sends datagrams back until it is stopped.
private final class EchoServer: Sendable {
    let port: UInt16
    private let socket: Descriptor
    private let thread: WorkerThread

    init() throws {
        socket = try Socket.bindUDP()
        port = try Socket.port(of: socket)
        let number = socket.number
        thread = try WorkerThread {
            let size = 2048
            var buffer = [UInt8](repeating: 0, count: size)
            var polled = pollfd(fd: number, events: Int16(POLLIN), revents: 0)
            while poll(&polled, 1, 10_000) > 0 {
                var (source, length) = (sockaddr_storage(), socklen_t(MemoryLayout<sockaddr_storage>.size))
                let isDone = withUnsafeMutablePointer(to: &source) { source in
                    source.withMemoryRebound(to: sockaddr.self, capacity: 1) { source in
                        let count = recvfrom(number, &buffer, size, 0, source, &length)
                        if count > 0 { sendto(number, buffer, count, 0, source, length) }
                        return count == 0
                    }
                }
                // An empty datagram ends it.
                if isDone { return }
            }
        }
    }

    func stop() {
        if let socket = try? Socket.connectUDP(port: port) { send(socket.number, nil, 0, 0) }
        thread.join()
    }
}
