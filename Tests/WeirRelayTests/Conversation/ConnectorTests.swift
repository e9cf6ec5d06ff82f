import Support
import Testing
import WeirEngine
import WeirRelay
import WeirWire

@Suite("Connector", .timeLimit(.minutes(1)))
struct ConnectorTests {
    @Test("Tries the addresses in order, and tells each failure that another attempt follows")
    func order() throws {
        let dead = try RefusingPort()
        let listener = try TCPServer()
        var skipped: [SystemError] = []
        let endpoints = [dead.endpoint, dead.endpoint, listener.endpoint]
        let connection = try Connector(.tcp).connect(to: endpoints) { skipped.append($0) }
        #expect(skipped == Array(repeating: SystemError("connect to \(dead.endpoint)", .connectionRefused), count: 2))
        #expect(connection.peer == listener.endpoint)
        #expect(try listener.accept().remote == connection.local)
    }

    @Test("Throws the last failure alone")
    func failure() throws {
        let first = try RefusingPort()
        let last = try RefusingPort()
        var skipped = 0
        #expect(throws: SystemError("connect to \(last.endpoint)", .connectionRefused)) {
            _ = try Connector(.tcp).connect(to: [first.endpoint, last.endpoint]) { _ in skipped += 1 }
        }
        #expect(skipped == 1)
    }

    @Test("Gives up a peer that does not answer")
    func timeout() throws {
        // One client fills a backlog of 0; Linux then drops the handshakes of the next ones.
        let listener = try TCPServer(backlog: 0)
        let brief = Connector(.tcp, timeout: .milliseconds(100))
        var failure: SystemError?
        var held: [Held] = []
        while failure == nil, held.count < 10 {
            do throws(SystemError) {
                held.append(Held(try brief.connect(to: [listener.endpoint])))
            } catch {
                failure = error
            }
        }
        #expect(failure == SystemError("connect to \(listener.endpoint)", .timedOut))
    }

    private final class Held {
        let connection: Connection
        init(_ connection: consuming Connection) { self.connection = connection }
    }

    @Test("Says that the source port is taken")
    func sourcePort() throws {
        let taken = try TCPServer()
        let listener = try TCPServer()
        #expect {
            _ = try Connector(.tcp, sourcePort: taken.endpoint.port).connect(to: [listener.endpoint])
        } throws: { error in
            "\(error)" == "cannot send from tcp port \(taken.endpoint.port): address in use (EADDRINUSE); "
                + "another socket has that port"
        }
    }

    @Test("Does not take a connection to itself for a peer")
    func itself() throws {
        let free = Endpoint(address: .loopbackV4, port: .random(in: 20_000..<30_000))
        #expect(throws: SystemError("connect to \(free)", .connectionRefused)) {
            _ = try Connector(.tcp, sourcePort: free.port).connect(to: [free])
        }
    }
}
