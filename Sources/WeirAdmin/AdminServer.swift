#if Admin
import NIOCore
import NIOPosix
import WeirFlow
public import WeirRelay
public import WeirWire

/// Serves the control API: Toxiproxy's, and Weir's own under `/v1`.
///
/// It listens before the relay starts, so that no route can lead to it, and answers once it was told of the relay.
///
/// ```swift
/// let admin = try await AdminServer(AdminSettings())
/// configuration.adminEndpoints = admin.endpoints
/// let relay = try await Supervisor(configuration, outputs: [admin.output])
/// await admin.serve(relay)
/// ```
public final class AdminServer: Sendable {
    /// Names where it listens, with the port that the kernel chose where 0 was asked for.
    public let endpoint: Endpoint

    /// Lists the endpoints that lead to it, for the routes that must not: `[::]` takes clients over IPv4 as well.
    public var endpoints: [Endpoint] {
        guard endpoint.address.isUnspecified, !endpoint.address.isV4 else { return [endpoint] }
        return [endpoint, Endpoint(address: .anyV4, port: endpoint.port)]
    }

    /// Serves every API of the process on one thread, and is never shut down: what still ends when an API has stopped may
    /// be scheduled on it.
    private static let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)

    private let office: AdminOffice
    private let listener: any Channel
    private let places: ConnectionPlaces

    /// Listens.
    ///
    /// - Throws: `SystemError` where it cannot listen, `AdminSettingsError` where that would not be safe.
    public init(_ settings: AdminSettings) async throws {
        let address = try settings.address()
        office = AdminOffice(settings)
        places = ConnectionPlaces(bound: settings.maxConnections)
        let desk = AdminDesk(gatekeeper: Gatekeeper(token: settings.token), office: office)
        let channels = AdminChannel(desk: desk, times: settings.times, places: places)
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

    /// Is the output that feeds the stream of events; it is to be among the relay's.
    public var output: SinkOutput { office.events.output }

    /// Answers for a relay from now on.
    ///
    /// - Parameters:
    ///   - relay: the relay.
    ///   - report: is told, in one line each, what a user should know.
    public func serve(_ relay: Supervisor, report: @escaping @Sendable (String) -> Void = { _ in }) async {
        await office.open(relay, report)
    }

    /// Makes the proxies of a file's text, which is what `POST /populate` takes.
    ///
    /// - Throws: `ProxiesError` where the text is wrong, or the relay cannot listen where a proxy is to.
    public func populate(_ text: [UInt8]) async throws {
        do throws(JSONError) {
            _ = try JSONParser.parse(text)
        } catch {
            let line = text.prefix(error.offset).count(where: { $0 == UInt8(ascii: "\n") }) + 1
            throw ProxiesError("line \(line): \(error)", isBadText: true)
        }
        let done = try await office.ready().proxies.populate(text)
        guard let error = done.error else { return }
        let reason = error.message.hasPrefix("bad request body: ") ? error.message.dropFirst(18) : error.message[...]
        throw ProxiesError((done.place.map { "proxy \($0): " } ?? "") + reason, isBadText: error.status == 400)
    }

    /// Ends: answers nobody any more, and returns when the last connection has closed.
    public func stop() async {
        try? await listener.close()
        let closed = try? await listener.eventLoop.submit { [places] in places.end() }.get()
        await office.close()
        for connection in closed ?? [] { try? await connection.get() }
    }
}
#endif
