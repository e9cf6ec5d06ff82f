import ArgumentParser
import Glibc
import WeirAdmin
import WeirFlow
import WeirRelay
import WeirWire

/// Says whether and how the control API is served.
struct AdminOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Serve the control API, Toxiproxy's and Weir's own, at HOST:PORT; 'default' is 127.0.0.1:8474.",
            valueName: "host:port"
        )
    )
    var admin: String?

    @Option(
        help: ArgumentHelp(
            "Ask every call of the control API for the token in this file; it may then listen anywhere.",
            valueName: "file"
        ),
        completion: .file()
    )
    var adminTokenFile: String?

    @Option(
        help: ArgumentHelp("Make the proxies of a file, as Toxiproxy's -config and POST /populate.", valueName: "file"),
        completion: .file()
    )
    var proxies: String?

    @Option(
        help: ArgumentHelp("Make and find the control API's recordings in this folder.", valueName: "folder"),
        completion: .directory
    )
    var capturesFolder = "Captures"

    func validate() throws {
        guard admin == nil, adminTokenFile != nil || proxies != nil || capturesFolder != "Captures" else { return }
        throw ValidationError("--admin-token-file, --proxies and --captures-folder need --admin HOST:PORT.")
    }

    /// Refuses a relay that would have nothing to do.
    func requireRoutes(_ routes: [String]) throws {
        guard routes.isEmpty, admin == nil else { return }
        throw ValidationError(
            "Give a ROUTE, as in tcp:9000=127.0.0.1:65432, or --admin HOST:PORT, which takes them later."
        )
    }

    /// Begins to listen; nil where no control API was asked for.
    func start(names: ResolvedNames) async throws -> RelayAdmin? {
        guard let admin else { return nil }
        var settings = AdminSettings()
        settings.version = Weir.version
        settings.recording.application = "weir \(Weir.version)"
        settings.recording.operatingSystem = Machine.operatingSystem
        settings.recording.names = { names.names(of: $0) }
        let list = try proxies.map { try Self.read($0) }
        do {
            try settings.listen(at: admin)
            try settings.keepCaptures(in: capturesFolder)
            if let adminTokenFile {
                try settings.requireToken(String(decoding: try Self.read(adminTokenFile), as: UTF8.self))
            }
            let server = try await AdminServer(settings)
            return RelayAdmin(server: server, proxies: list, path: proxies ?? "")
        } catch let error as AdminSettingsError {
            throw Failure(.usage, "\(error)")
        }
    }

    static func read(_ path: String) throws(Failure) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            let error = SystemError("read '\(path)'", ErrorNumber(errno))
            throw Failure(error.error.rawValue == EACCES ? .noPermission : .noInput, "\(error)")
        }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 64 << 10)
        while bytes.count <= 1 << 20 {
            let count = Glibc.read(descriptor, &part, part.count)
            if count == 0 { return bytes }
            guard count > 0 else { throw Failure(.noInput, "\(SystemError("read '\(path)'", ErrorNumber(errno)))") }
            bytes += part.prefix(count)
        }
        throw Failure(.dataError, "'\(path)' is larger than 1 MiB")
    }
}

/// Is the control API of a relay that is to run.
struct RelayAdmin: Sendable {
    let server: AdminServer
    let proxies: [UInt8]?
    /// Names the file of the proxies.
    let path: String

    /// Answers for the relay from now on, and makes the proxies of the file.
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
