/// What a whole run of measurements is told and shares.
struct Bench: Sendable {
    /// How the run was asked for.
    struct Settings: Sendable, Codable, Equatable {
        /// How often each subject is measured.
        var rounds = 3
        /// How long each run lasts, in seconds.
        var seconds = 2.0
        /// Workers of each relay: 1, or as many as cores.
        var workers = 1
        /// Threads of the load's client and of its server.
        var loadThreads = 1
        /// The program to measure as Weir; nil to look for it.
        var weir: String?
    }

    /// How the run was asked for.
    let settings: Settings
    /// Where each peer's program is.
    let programs: Programs
    /// The folder for configurations, logs and dumps; removed at the end.
    let folder: TemporaryFolder
    /// The path of weir-bench itself, for its children.
    let ownPath: String

    /// Makes the load of a kind with the settings of this run.
    func load(_ kind: LoadKind, connections: Int = 1) -> LoadSettings {
        var load = LoadSettings(kind: kind, port: 0)
        load.connections = connections
        load.seconds = settings.seconds
        load.threads = settings.loadThreads
        return load
    }
}
