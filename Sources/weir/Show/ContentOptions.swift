import ArgumentParser
import WeirAnalysis
import WeirWire

/// The options of `weir show` for statistics, and for what flows carried.
struct ContentOptions: ParsableArguments {
    @Option(
        name: .long,
        defaultAsFlag: StatsArgument.standard,
        parsing: .next,
        help: ArgumentHelp(
            "Show statistics of flows and of kinds of requests: times to dial, to the first byte, and of answers (p50, p90, "
                + "p99), payload; this many rows of each, 0 for all.",
            valueName: "rows"
        )
    )
    var stats: StatsArgument?

    @Option(
        help: ArgumentHelp(
            "Write the bodies of HTTP (without chunks, gzip and deflate), and files of FTP and TFTP, into a folder, named by "
                + "their paths; no file is overwritten.",
            valueName: "folder"
        ),
        completion: .directory
    )
    var export: String?

    @Option(
        help: ArgumentHelp(
            "Write a new file with the requests and answers of HTTP/1 as an HTTP archive (HAR), for a browser's developer "
                + "tools; - is standard output.",
            valueName: "file"
        ),
        completion: .file(extensions: ["har"])
    )
    var har: String?

    @Option(
        help: ArgumentHelp(
            "Show the requests of HTTP/1 in a flow as command lines of curl: 3, or 3.2 for the second one alone.",
            valueName: "flow"
        )
    )
    var curl: CurlChoice?

    /// The options that were given.
    var given: [String] {
        let all = [
            (stats != nil, "--stats"), (export != nil, "--export"), (har != nil, "--har"), (curl != nil, "--curl"),
        ]
        return all.filter(\.0).map(\.1)
    }

    /// The option that was given and reads flows before they have ended; nil if there is none.
    var live: String? { given.first { $0 == "--export" || $0 == "--har" } }

    /// Returns the files to read: the one that was taken for the number of `--stats`, too.
    func files(_ files: [String]) -> [String] { files + [stats?.file].compactMap(\.self) }

    /// Refuses what does not fit together.
    ///
    /// - Parameters:
    ///   - files: The files besides one that was taken for the number of `--stats`.
    ///   - others: Whether another view was asked for.
    ///   - json: Whether `--json` was given.
    ///   - chooses: Whether flows were chosen.
    /// - Throws: The reason.
    func check(_ files: [String], others: Bool, json: Bool, chooses: Bool) throws {
        guard let first = given.first else { return }
        if given.count > 1 { throw ValidationError("--stats, --export, --har and --curl exclude each other.") }
        if others { throw ValidationError("\(first) is a view of its own: it has no other one beside it.") }
        if json, stats == nil { throw ValidationError("--json is not for \(first).") }
        if chooses, curl != nil {
            throw ValidationError("--curl takes the number of a flow, so --flow and --where have no place.")
        }
        if stats?.file != nil, !files.isEmpty {
            throw ValidationError("--stats takes a number of rows; put it after the files, or give it the number.")
        }
    }

    /// Shows the view that was asked for; returns false if none of the options was given.
    func show(_ run: inout ShowRun, _ query: FlowQuery?, json: Bool, _ style: TerminalStyle) throws(Failure) -> Bool {
        if let stats {
            let limit = stats.limit ?? (json ? 0 : StatsShow.defaultLimit)
            var view = StatsShow(query, limit: limit == 0 ? nil : limit, isJSON: json, style)
            run.show(&view)
        } else if let export {
            var view = try ExportShow(to: export, query)
            run.show(&view)
        } else if let har {
            var view = try HARShow(to: har, query)
            run.show(&view)
        } else if let curl {
            var view = CurlShow(curl)
            run.show(&view)
        } else {
            return false
        }
        return true
    }
}

/// The number of rows after `--stats`, which may be left out: then a file may follow.
struct StatsArgument: ExpressibleByArgument, Hashable, CustomStringConvertible {
    /// The number of rows, 0 for all; nil if it was left out.
    var limit: Int?
    /// What followed in place of a number.
    var file: String?

    /// The argument that was left out.
    static let standard = StatsArgument(limit: nil)

    init(limit: Int?) {
        self.limit = limit
    }

    init?(argument: String) {
        if let number = Int(argument) {
            guard number >= 0 else { return nil }
            limit = number
        } else {
            file = argument
        }
    }

    var description: String { "\(limit ?? StatsShow.defaultLimit)" }
}

extension CurlChoice: ExpressibleByArgument {}
