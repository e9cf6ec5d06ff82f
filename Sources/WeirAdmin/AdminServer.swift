#if Admin
import NIOCore
import NIOPosix
import WeirEngine
public import WeirRelay
public import WeirSinks
public import WeirWire

/// The server of the control API: Toxiproxy's, and Weir's own under `/v1`.
///
/// It listens before the relay starts, so that no route can lead to it, and answers after `serve` was called.
///
/// ```swift
/// let admin = try await AdminServer(AdminSettings())
/// configuration.adminEndpoints = admin.endpoints
/// let relay = try await Supervisor(configuration, outputs: [admin.output()])
/// await admin.serve(relay)
/// ```
public final class AdminServer: Sendable {
    /// The endpoint on which it listens, with the port that the kernel chose if 0 was requested.
    public let endpoint: Endpoint

    /// The endpoints that lead to it, to which no route may lead: `[::]` accepts clients over IPv4 as well.
    public var endpoints: [Endpoint] {
        guard endpoint.address.isUnspecified, !endpoint.address.isV4 else { return [endpoint] }
        return [endpoint, Endpoint(address: .anyV4, port: endpoint.port)]
    }

    /// The one thread that serves every API of the process.
    ///
    /// It is never shut down: the last tasks of an API that was stopped may still be scheduled on it.
    private static let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)

    private let gate: RequestGate
    private let listener: any Channel
    private let limit: ConnectionLimit

    /// Listens.
    ///
    /// - Throws: `SystemError` if it cannot listen, `AdminSettingsError` if that would not be safe.
    public init(_ settings: AdminSettings) async throws {
        let address = try settings.address()
        gate = RequestGate(settings)
        limit = ConnectionLimit(bound: settings.maxConnections)
        let handler = RequestRouter(policy: AccessPolicy(token: settings.token), gate: gate)
        let channels = AdminChannel(handler: handler, times: settings.times, limit: limit)
        do {
            let host = "\(address.address)"
            let place = try SocketAddress.makeAddressResolvingHost(host, port: Int(address.port))
            listener = try await channels.listen(Self.group, at: place)
        } catch let error as IOError {
            throw SystemError("serve the control API on \(address)", ErrorNumber(error.errnoCode))
        } catch {
            throw AdminSettingsError("cannot serve the control API on \(address): \(error)")
        }
        let port = listener.localAddress?.port.map { UInt16($0) }
        endpoint = Endpoint(address: address.address, port: port ?? address.port)
    }

    /// Makes the output that feeds the stream of events; add it to the relay's outputs.
    ///
    /// - Parameter details: what is added to `open` events.
    /// - Returns: the output.
    public func output(_ details: FlowDetails = FlowDetails()) -> SinkOutput { gate.events.output(details) }

    /// Answers for a relay from now on.
    ///
    /// - Parameters:
    ///   - relay: the relay.
    ///   - report: receives messages for the user, one line each.
    public func serve(_ relay: Supervisor, report: @escaping @Sendable (String) -> Void = { _ in }) async {
        await gate.open(relay, report)
    }

    /// Creates the proxies from a file's text, in the format of `POST /populate`.
    ///
    /// - Throws: `ProxiesError` if the text is wrong, or the relay cannot listen on a proxy's endpoint.
    public func populate(_ text: [UInt8]) async throws {
        do throws(JSONError) {
            _ = try JSONParser.parse(text)
        } catch {
            let line = text.prefix(error.offset).count(where: { $0 == UInt8(ascii: "\n") }) + 1
            throw ProxiesError("line \(line): \(error)", isBadText: true)
        }
        let done = try await gate.ready().proxies.populate(text)
        guard let error = done.error else { return }
        let reason = error.message.hasPrefix("bad request body: ") ? error.message.dropFirst(18) : error.message[...]
        throw ProxiesError((done.place.map { "proxy \($0): " } ?? "") + reason, isBadText: error.status == 400)
    }

    /// Stops answering, and returns after the last connection has closed.
    public func stop() async {
        try? await listener.close()
        let closed = try? await listener.eventLoop.submit { [limit] in limit.end() }.get()
        await gate.close()
        for connection in closed ?? [] { try? await connection.get() }
    }
}
#endif
