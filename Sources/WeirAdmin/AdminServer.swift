import HTTPTypes
import Hummingbird
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
/// configuration.adminEndpoints = [admin.endpoint]
/// let relay = try await Supervisor(configuration, outputs: [admin.output])
/// await admin.serve(relay)
/// ```
public final class AdminServer: Sendable {
    /// Names where it listens, with the port that the kernel chose where 0 was asked for.
    public let endpoint: Endpoint

    private let office: AdminOffice
    private let group: MultiThreadedEventLoopGroup
    private let task: Task<Void, Never>

    /// Listens.
    ///
    /// - Throws: `SystemError` where it cannot listen, `AdminSettingsError` where that would not be safe.
    public init(_ settings: AdminSettings) async throws {
        let address = try settings.address()
        let office = AdminOffice(settings)
        self.office = office
        group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let (bound, feed) = AsyncStream<Result<Endpoint, any Error>>.makeStream()
        let application = Self.application(settings, address, office, group) { feed.yield(.success($0)) }
        task = Task {
            do {
                try await application.run()
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
        case .failure(let error):
            throw SystemError("serve the control API on \(address)", ErrorNumber((error as? IOError)?.errnoCode ?? 0))
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

    /// Makes the proxies of a text as `POST /populate` takes it.
    ///
    /// - Throws: `AdminSettingsError` with what is wrong.
    public func populate(_ text: [UInt8]) async throws {
        let (_, error) = try await office.ready().proxies.populate(text)
        if let error { throw AdminSettingsError(error.message) }
    }

    /// Ends: answers nobody any more.
    public func stop() async {
        task.cancel()
        await office.close()
        await task.value
        try? await group.shutdownGracefully()
    }

    private static func application(
        _ settings: AdminSettings,
        _ address: Endpoint,
        _ office: AdminOffice,
        _ group: MultiThreadedEventLoopGroup,
        _ whenBound: @escaping @Sendable (Endpoint) -> Void
    ) -> Application<AdminResponder> {
        let places = ConnectionPlaces(bound: settings.maxConnections)
        let times = settings.times
        let desk = AdminDesk(gatekeeper: Gatekeeper(token: settings.token), office: office)
        return Application(
            responder: AdminResponder(desk: desk),
            server: .http1(
                configuration: HTTP1Channel.Configuration(
                    additionalChannelHandlers: [ConnectionGuard(times: times, places: places)],
                    httpDecoderConfiguration: .init(
                        maxHeaderFieldSize: 8 << 10,
                        maxHeaderListSize: 32 << 10,
                        maxHeaderFieldCount: 100
                    )
                )
            ),
            configuration: ApplicationConfiguration(
                address: .hostname("\(address.address)", port: Int(address.port)),
                serverName: nil
            ),
            onServerRunning: { channel in
                var bound = address
                if let port = channel.localAddress?.port { bound.port = UInt16(port) }
                whenBound(bound)
            },
            eventLoopGroupProvider: .shared(group),
            logger: Logger(label: "weir.admin") { _ in SwiftLogNoOpLogHandler() }
        )
    }
}
