import ArgumentParser

/// The options for whether and how the control API is served.
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
            """
            Ask every call of the control API for the token in this file; it may then listen anywhere. The token has 16 \
            characters or more, and other users must not be able to read the file.
            """,
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

    /// Refuses a relay without routes and without the control API.
    func requireRoutes(_ routes: [String]) throws {
        guard routes.isEmpty, admin == nil else { return }
        throw ValidationError(
            "Give a ROUTE, as in tcp:9000=127.0.0.1:65432, or --admin HOST:PORT, which takes them later."
        )
    }
}
