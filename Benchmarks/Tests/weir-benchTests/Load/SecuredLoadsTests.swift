import CWeirBench
import Glibc
import Testing

@testable import weir_bench

@Suite("Loads over TLS", .tags(.network), .timeLimit(.minutes(1)))
struct SecuredLoadsTests {
    /// A server over TLS on a thread of its own, for as long as a test.
    private final class Server {
        let port: UInt16
        private let listener: Descriptor
        private let stop = StopFlag()
        private let thread: WorkerThread

        init(_ kind: ServerKind) throws {
            listener = try Socket.listen()
            port = try Socket.port(of: listener)
            let server = try SecuredServer(kind: kind, listener: listener.number)
            thread = try WorkerThread { [stop] in
                do { try server.run(until: stop) } catch { Issue.record(error) }
            }
        }

        deinit {
            stop.set()
            thread.join()
        }
    }

    private func settings(_ kind: LoadKind, _ server: Server, connections: Int) -> LoadSettings {
        var settings = LoadSettings(kind: kind, port: server.port)
        settings.seconds = 0.05
        settings.connections = connections
        settings.connectionLimit = 20
        return settings
    }

    @Test("Streams arrive whole, in whole pieces, and the server says so", arguments: [1, 3])
    func streams(_ count: Int) throws {
        let server = try Server(.securedSink)
        let report = try LoadDriver.run(settings(.securedStream, server, connections: count))
        #expect(report.operations == UInt64(count))
        #expect(report.bytes >= UInt64(2 * count * Agreed.chunk) && report.bytes.isMultiple(of: UInt64(Agreed.chunk)))
    }

    @Test("Handshakes are made up to the limit, each with its echo")
    func connects() throws {
        let server = try Server(.securedOnce)
        let report = try LoadDriver.run(settings(.securedConnect, server, connections: 4))
        #expect((4...20).contains(report.operations) && report.bytes == report.operations * 64)
    }

    @Test("Flows are held, and what they cost a process is read")
    func holds() throws {
        let server = try Server(.securedEcho)
        var settings = settings(.securedHold, server, connections: 3)
        #expect(throws: BenchError.self) { try LoadDriver.run(settings) }
        settings.relay = getpgrp()
        let report = try LoadDriver.run(settings)
        #expect(report.operations == 3 && report.bytesPerFlow != nil)
    }

    @Test("Round trips of plain flows are timed beside a burst of handshakes")
    func burst() throws {
        let server = try Server(.securedOnce)
        let echo = try TCPEcho()
        var settings = settings(.burst, server, connections: 20)
        (settings.plainPort, settings.rate) = (echo.port, 2000)
        let report = try LoadDriver.run(settings)
        #expect(report.operations == 20)
        let waits = try #require(report.latency)
        #expect(waits.maximum >= waits.p50 && waits.p50 > 0)
        #expect(Sample(report).values["maximum_microseconds"] == waits.maximum)
    }

    @Test("A server without TLS is a failure, not a wait")
    func plain() throws {
        let echo = try TCPEcho()
        #expect(throws: BenchError.self) {
            _ = try SecuredSocket(SecuredSide(.client), connectingTo: echo.port)
        }
    }

    @Test("Certificates are written for this user alone, and never over a file", arguments: [false, true])
    func certificates(_ isAuthority: Bool) throws {
        let folder = try ScratchFolder()
        let path = "\(folder.path)/x.pem"
        #expect(weir_bench_tls_write_pem(path, isAuthority))
        let text = try #require(TextFile.read(path))
        #expect(text.hasPrefix("-----BEGIN CERTIFICATE-----\n") && text.contains("\n-----BEGIN PRIVATE KEY-----\n"))
        var status = stat()
        #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o600)
        #expect(!weir_bench_tls_write_pem(path, isAuthority) && TextFile.read(path) == text)
    }
}

/// A plain server that echoes, on a thread of its own, for as long as a test.
private final class TCPEcho {
    let port: UInt16
    private let listener: Descriptor
    private let stop = StopFlag()
    private let thread: WorkerThread

    init() throws {
        listener = try Socket.listen()
        port = try Socket.port(of: listener)
        let server = try StreamServer(kind: .echo, listener: listener.number, smallQueues: false)
        thread = try WorkerThread { [stop] in
            do { try server.run(until: stop) } catch { Issue.record(error) }
        }
    }

    deinit {
        stop.set()
        thread.join()
    }
}
