import HummingbirdCore
import Logging
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
    private let task: Task<Void, Never>

    /// Listens.
    ///
    /// - Throws: `SystemError` where it cannot listen, `AdminSettingsError` where that would not be safe.
    public init(_ settings: AdminSettings) async throws {
        let address = try settings.address()
        let office = AdminOffice(settings)
        self.office = office
        let (bound, feed) = AsyncStream<Result<Endpoint, any Error>>.makeStream()
        let server = Self.server(settings, address, office) { feed.yield(.success($0)) }
        task = Task(executorPreference: LoopExecutor(Self.group.next())) {
            do {
                try await server.run()
            } catch {
                feed.yield(.failure(error))
            }
            feed.finish()
        }
        var outcome: Result<Endpoint, any Error>?
        for await first in bound {
            outcome = first
            break
        }
        switch outcome {
        case .success(let endpoint): self.endpoint = endpoint
        case .failure(let error as IOError):
            throw SystemError("serve the control API on \(address)", ErrorNumber(error.errnoCode))
        // The resolver of the library does not take an IPv6 address where this machine has none but the loopback's.
        case .failure(let error): throw AdminSettingsError("cannot serve the control API on \(address): \(error)")
        case nil: throw SystemError("serve the control API on \(address)", ErrorNumber(0))
        }
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
        let (_, error, place) = try await office.ready().proxies.populate(text)
        guard let error else { return }
        let reason = error.message.hasPrefix("bad request body: ") ? error.message.dropFirst(18) : error.message[...]
        throw ProxiesError((place.map { "proxy \($0): " } ?? "") + reason, isBadText: error.status == 400)
    }

    /// Ends: answers nobody any more.
    public func stop() async {
        task.cancel()
        await office.close()
        await task.value
    }

    private static func server(
        _ settings: AdminSettings,
        _ address: Endpoint,
        _ office: AdminOffice,
        _ whenBound: @escaping @Sendable (Endpoint) -> Void
    ) -> Server<AdminChannel> {
        Server(
            childChannelSetup: AdminChannel(
                desk: AdminDesk(gatekeeper: Gatekeeper(token: settings.token), office: office),
                times: settings.times,
                places: ConnectionPlaces(bound: settings.maxConnections)
            ),
            configuration: ServerConfiguration(
                address: .hostname("\(address.address)", port: Int(address.port)),
                serverName: nil
            ),
            onServerRunning: { channel in
                var bound = address
                if let port = channel.localAddress?.port { bound.port = UInt16(port) }
                whenBound(bound)
            },
            eventLoopGroup: group,
            logger: Logger(label: "weir.admin") { _ in SwiftLogNoOpLogHandler() }
        )
    }
}
