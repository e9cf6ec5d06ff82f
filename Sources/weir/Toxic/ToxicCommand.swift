import ArgumentParser
import Glibc
import WeirEngine
import WeirRelay
import WeirWire

/// The command `weir toxic`, which controls a running relay.
struct ToxicCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "toxic",
        abstract: "Steer a running relay: list, add, update, remove and inspect toxics, hold and edit chunks.",
        discussion: """
            The relay is to run with --admin. A toxic is a fault on one direction of a proxy, which is a route with a name:

              weir relay --admin default tcp:9000=127.0.0.1:65432
              weir toxic list
              weir toxic add tcp-9000 latency --down latency=100 jitter=20
              weir toxic update tcp-9000 latency_downstream latency=500
              weir toxic remove tcp-9000 latency_downstream
              weir toxic hold tcp-9000 --up

            Types, with their settings and defaults:

            \(ToxicHelp.types)
            """,
        subcommands: [
            ToxicListCommand.self, ToxicAddCommand.self, ToxicUpdateCommand.self, ToxicRemoveCommand.self,
            ToxicInspectCommand.self, ToxicResetCommand.self, ToxicHoldCommand.self,
        ],
        aliases: ["toxics"]
    )
}

/// Help from the table of toxics.
enum ToxicHelp {
    /// The types with their fields.
    static var types: String {
        Toxics.all.map { type in
            let transports = type.transports.map { "\($0)" }.joined(separator: ", ")
            let fields = type.fields.map { field in
                let unit = field.unit.map { " \($0)" } ?? ""
                return "    \(field.name)=\(field.default)\(unit): \(field.help)"
            }
            return (["  \(type.name) (\(transports)): \(type.summary)"] + fields).joined(separator: "\n")
        }.joined(separator: "\n")
    }
}

/// The options for which relay to use.
struct RelayAddressOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The control API of the relay.", valueName: "url"))
    var url = "http://127.0.0.1:8474"

    @Option(
        help: ArgumentHelp(
            "The file with the token that the API asks for; other users must not be able to read it.",
            valueName: "file"
        ),
        completion: .file()
    )
    var tokenFile: String?

    func client() throws(Failure) -> AdminClient {
        let token = try tokenFile.map { path throws(Failure) in
            String(decoding: try SmallFile.readSecret(path), as: UTF8.self)
                .split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
        }
        return try AdminClient(url: url, token: token)
    }
}

/// The options for which relay to use, and how its answers are shown.
struct SteeringOptions: ParsableArguments {
    @OptionGroup var address: RelayAddressOptions

    @Flag(help: "Print JSON, as the API answers.")
    var json = false

    func client() throws(Failure) -> AdminClient { try address.client() }

    /// Refuses a value that is not a probability, before the relay would.
    static func check(toxicity: Double?) throws {
        guard let toxicity, !(0...1).contains(toxicity) else { return }
        throw ValidationError("--toxicity takes a number from 0 to 1.")
    }
}

/// A direction, `--up` or `--down`; both flags together mean both.
enum ToxicDirection: String, EnumerableFlag {
    case up, down

    var stream: String { self == .up ? "upstream" : "downstream" }

    /// Returns the directions of the flags, each one once, upstream first.
    static func named(_ flags: [ToxicDirection], otherwise: ToxicDirection) -> [ToxicDirection] {
        allCases.filter(flags.isEmpty ? [otherwise].contains : flags.contains)
    }
}

/// The command `weir toxic list`, which lists proxies and their toxics.
struct ToxicListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List the proxies and their toxics.")

    @OptionGroup var options: SteeringOptions

    func run() throws {
        let proxies = try options.client().call("GET", "/proxies")
        if options.json { return print(proxies.text) }
        var rows = [["proxy", "listen", "upstream", "enabled", "toxics"]]
        for member in proxies.members ?? [] {
            let toxics = member.value["toxics"]?.arrayValue?.compactMap { $0["name"]?.stringValue } ?? []
            rows.append([
                member.key, member.value["listen"]?.stringValue ?? "", member.value["upstream"]?.stringValue ?? "",
                member.value["enabled"]?.boolValue ?? false ? "yes" : "no",
                toxics.isEmpty ? "-" : toxics.joined(separator: ", "),
            ])
        }
        print(Table.text(rows))
    }
}

/// The command `weir toxic add`, which adds a toxic to a proxy.
struct ToxicAddCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Put a toxic on a proxy, also for the flows that it has.",
        discussion: "Types, with their settings and defaults:\n\n\(ToxicHelp.types)"
    )

    @Argument(help: "The proxy's name.") var proxy: String
    @Argument(
        help: ArgumentHelp("The toxic's type: \(Toxics.all.map(\.name).joined(separator: ", "))."),
        completion: .list(Toxics.all.map(\.name))
    )
    var type: String
    @Argument(help: ArgumentHelp("Settings, as in latency=100.", valueName: "field=value")) var settings: [String] = []
    @Flag(help: "On what clients send (--up), on what servers send (--down, the default), or on both (--up --down).")
    var directions: [ToxicDirection] = []
    @Option(help: "The toxic's name (default: TYPE_DIRECTION); with --up --down NAME_upstream and NAME_downstream.")
    var name: String?
    @Option(help: "The probability with which a flow meets it, 0 to 1.") var toxicity = 1.0
    @OptionGroup var options: SteeringOptions

    func validate() throws { try SteeringOptions.check(toxicity: toxicity) }

    func run() throws {
        let attributes = try ToxicSettingsText.attributes(settings, of: type)
        let directions = ToxicDirection.named(directions, otherwise: .down)
        let client = try options.client()
        let path = "/proxies/\(PercentText.encode(proxy))/toxics"
        var added: [JSONValue] = []
        for direction in directions {
            var body: [JSONValue.Member] = [
                .init("type", .string(type)), .init("stream", .string(direction.stream)),
                .init("toxicity", .float(toxicity)), .init("attributes", .object(attributes)),
            ]
            if let name {
                body.append(.init("name", .string(directions.count == 1 ? name : "\(name)_\(direction.stream)")))
            }
            do throws(Failure) {
                added.append(try client.call("POST", path, .object(body)))
            } catch {
                // Both or none: half of the requested toxics would be a surprise.
                for name in added.compactMap({ $0["name"]?.stringValue }) {
                    try? client.perform("DELETE", "\(path)/\(PercentText.encode(name))")
                }
                throw error
            }
        }
        print(options.json ? added.map(\.text).joined(separator: "\n") : Table.toxics(added))
    }
}

/// The command `weir toxic update`, which changes a toxic.
struct ToxicUpdateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "update", abstract: "Change a toxic's settings.")

    @Argument(help: "The proxy's name.") var proxy: String
    @Argument(help: "The toxic's name.") var toxic: String
    @Argument(help: ArgumentHelp("Settings, as in latency=100.", valueName: "field=value")) var settings: [String] = []
    @Option(help: "The probability with which a flow meets it, 0 to 1.") var toxicity: Double?
    @OptionGroup var options: SteeringOptions

    func validate() throws {
        try SteeringOptions.check(toxicity: toxicity)
        guard settings.isEmpty, toxicity == nil else { return }
        throw ValidationError("Say what is to change: settings, as in latency=100, or --toxicity.")
    }

    func run() throws {
        let client = try options.client()
        let path = "/proxies/\(PercentText.encode(proxy))/toxics/\(PercentText.encode(toxic))"
        let type = try client.call("GET", path)["type"]?.stringValue ?? ""
        var body: [JSONValue.Member] = [
            .init("attributes", .object(try ToxicSettingsText.attributes(settings, of: type)))
        ]
        if let toxicity { body.append(.init("toxicity", .float(toxicity))) }
        let changed = try client.call("PATCH", path, .object(body))
        print(options.json ? changed.text : Table.toxics([changed]))
    }
}

/// The command `weir toxic remove`, which removes a toxic.
struct ToxicRemoveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove",
        abstract: "Remove a toxic; what it holds goes on.",
        aliases: ["delete"]
    )

    @Argument(help: "The proxy's name.") var proxy: String
    @Argument(help: "The toxic's name.") var toxic: String
    @OptionGroup var options: SteeringOptions

    func run() throws {
        let path = "/proxies/\(PercentText.encode(proxy))/toxics/\(PercentText.encode(toxic))"
        try options.client().perform("DELETE", path)
    }
}

/// The command `weir toxic inspect`, which shows one proxy.
struct ToxicInspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "inspect", abstract: "Show a proxy with its toxics.")

    @Argument(help: "The proxy's name.") var proxy: String
    @OptionGroup var options: SteeringOptions

    func run() throws {
        let shown = try options.client().call("GET", "/proxies/\(PercentText.encode(proxy))")
        if options.json { return print(shown.text) }
        let listen = shown["listen"]?.stringValue ?? ""
        let upstream = shown["upstream"]?.stringValue ?? ""
        let state = shown["enabled"]?.boolValue ?? false ? "enabled" : "disabled"
        print(SafeText.escaped("\(proxy): \(listen) -> \(upstream), \(state)"))
        let toxics = shown["toxics"]?.arrayValue ?? []
        print(toxics.isEmpty ? "no toxics" : Table.toxics(toxics))
    }
}

/// The command `weir toxic reset`, which enables every proxy and removes every toxic.
struct ToxicResetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reset",
        abstract: "Enable every proxy, and remove every toxic."
    )

    @OptionGroup var options: SteeringOptions

    func run() throws { try options.client().perform("POST", "/reset") }
}

/// Settings in the form of the command line.
enum ToxicSettingsText {
    /// Reads `FIELD=VALUE` settings by the table of toxics.
    static func attributes(_ settings: [String], of name: String) throws(Failure) -> [JSONValue.Member] {
        guard let type = Toxics.type(named: name) else { throw Failure(.usage, "\(ToxicError.unknownType(name))") }
        var members: [JSONValue.Member] = []
        for setting in settings {
            let parts = setting.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { throw Failure(.usage, "'\(setting)' is no setting: FIELD=VALUE") }
            guard let field = type.field(String(parts[0])) else {
                let known = type.fields.map(\.name).joined(separator: ", ")
                throw Failure(
                    .usage,
                    "'\(name)' has no setting '\(parts[0])'; it has: \(known.isEmpty ? "none" : known)"
                )
            }
            do throws(ToxicError) {
                members.append(.init(field.name, json(try field.value(parsing: String(parts[1]), of: name))))
            } catch {
                throw Failure(.usage, "\(error)")
            }
        }
        return members
    }

    private static func json(_ value: ToxicValue) -> JSONValue {
        switch value {
        case .int(let value): .int(value)
        case .double(let value): .float(value)
        case .string(let value): .string(value)
        case .bool(let value): .bool(value)
        }
    }
}

/// Tables of text.
enum Table {
    /// Aligns columns; the first row is the head.
    ///
    /// Cells are escaped, because clients of the API choose the names.
    static func text(_ rows: [[String]]) -> String {
        let rows = rows.map { $0.map(SafeText.escaped) }
        let columns = rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0 }
        return rows.map { row in
            var line = ""
            for (index, cell) in row.enumerated() {
                let isLast = index == row.count - 1
                line += cell + (isLast ? "" : String(repeating: " ", count: widths[index] - cell.count + 2))
            }
            return line
        }.joined(separator: "\n")
    }

    /// Makes the table of toxics from the API's descriptions.
    static func toxics(_ toxics: [JSONValue]) -> String {
        var rows = [["toxic", "type", "stream", "toxicity", "attributes"]]
        for toxic in toxics {
            let attributes = (toxic["attributes"]?.members ?? []).map { member in
                "\(member.key)=\(member.value.stringValue ?? member.value.text)"
            }
            rows.append([
                toxic["name"]?.stringValue ?? "", toxic["type"]?.stringValue ?? "", toxic["stream"]?.stringValue ?? "",
                toxic["toxicity"]?.text ?? "", attributes.isEmpty ? "-" : attributes.joined(separator: " "),
            ])
        }
        return text(rows)
    }
}
