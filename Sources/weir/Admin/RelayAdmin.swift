#if Admin
import WeirAdmin
import WeirRelay
import WeirSinks
import WeirWire

/// The control API of a relay.
struct RelayAdmin: Sendable {
    fileprivate let server: AdminServer
    fileprivate let proxies: [UInt8]?
    /// The path of the proxies' file.
    fileprivate let path: String

    /// The endpoints at which it listens.
    var endpoints: [Endpoint] { server.endpoints }

    /// Makes the output for the stream of events.
    func output(_ details: FlowDetails) -> SinkOutput { server.output(details) }

    /// Stops answering requests.
    func stop() async { await server.stop() }

    /// Starts to answer requests for the relay, and makes the proxies of the file.
    func begin(_ relay: Supervisor) async throws {
        await server.serve(relay) { Diagnostics.print($0) }
        if let proxies {
            do {
                try await server.populate(proxies)
            } catch let error as ProxiesError {
                throw Failure(error.isBadText ? .dataError : .unavailable, "'\(path)': \(error)")
            }
            for route in relay.routes where !relay.listeners.contains(where: { route.endpoints == [$0.endpoint] }) {
                for endpoint in route.endpoints {
                    let target = route.route.target.map { " -> \($0)" } ?? ""
                    Diagnostics.write("listening \(route.route.transport) \(endpoint)\(target)\n")
                }
            }
        }
        Diagnostics.write("listening admin http://\(server.endpoint)\n")
    }
}

extension AdminOptions {
    /// Starts to listen; returns nil if `--admin` was not given.
    func start(names: ResolvedNames) async throws -> RelayAdmin? {
        guard let admin else { return nil }
        var settings = AdminSettings()
        settings.version = Machine.version
        settings.recording.application = "weir \(Machine.version)"
        settings.recording.operatingSystem = Machine.operatingSystem
        settings.recording.names = { names.names(of: $0) }
        let list = try proxies.map { try SmallFile.read($0) }
        do {
            try settings.listen(at: admin)
            try settings.keepCaptures(in: capturesFolder)
            if let adminTokenFile {
                let text = String(decoding: try SmallFile.readSecret(adminTokenFile), as: UTF8.self)
                do {
                    try settings.requireToken(text)
                } catch {
                    throw Failure(.usage, "--admin-token-file '\(adminTokenFile)': \(error)")
                }
            }
            let server = try await AdminServer(settings)
            return RelayAdmin(server: server, proxies: list, path: proxies ?? "")
        } catch let error as AdminSettingsError {
            throw Failure(.usage, "\(error)")
        }
    }
}
#else
import WeirRelay
import WeirSinks
import WeirWire

/// The control API in a program that was built without it; it never exists.
enum RelayAdmin: Sendable {
    /// Never read.
    var endpoints: [Endpoint] { switch self {} }

    /// Never called.
    func output(_ details: FlowDetails) -> SinkOutput { switch self {} }

    /// Never called.
    func stop() async {}

    /// Never called.
    func begin(_ relay: Supervisor) async throws {}
}

extension AdminOptions {
    /// Fails, because this program was built without the control API.
    func start(names: ResolvedNames) async throws -> RelayAdmin? {
        guard admin != nil else { return nil }
        throw Failure(.unavailable, "--admin needs a weir that was built with the trait Admin")
    }
}
#endif
