public import ArgumentParser
import Glibc
import WeirAnalysis
import WeirDissect
public import WeirEngine
import WeirWire

/// The command `weir show`, which shows the contents of captures.
struct ShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Read captures: their flows, packets, bytes and streams.",
        discussion: """
            Files are pcap or pcapng, or logs of weir relay --log, also compressed with gzip; - is standard input. In place \
            of a folder, the captures and logs in it are read, in the order of their first packets, but no log of a run that \
            a capture has, too. Several files are read as one capture, one after another. A log that was written without \
            --log-bytes has flows and messages, but no bytes.

              weir show flows.pcapng                                    the flows
              weir show flows.pcapng --sort bytes --where 'port 443 and tcp'
              weir show flows.pcapng --packets --hex --flow 3           the packets of a flow, with their bytes
              weir show flows.pcapng --follow 3 --as text               what both sides of a flow said
              weir show flows.pcapng --messages --fields                what their messages mean (weir show --dissectors)
              weir show flows.pcapng --summary                          counts, protocols, top talkers, damage
              weir show flows.pcapng --stats                            how long answers took, for each kind of request
              weir show flows.pcapng --export files                     what was downloaded and uploaded
              weir show flows.pcapng --curl 3                           the requests of a flow, to send them again
              weir show flows.pcapng --messages --where 'http and status >= 500'
              weir show flows.pcapng --messages --sort took --limit 10  the slowest answers, with their requests
              weir show flows.pcapng --grep 'Set-Cookie'                where bytes were sent, with what is around them
              weir show flows.pcapng --errors                           what went wrong
              weir show flows.pcapng --messages --keylog keys.txt       what TLS encrypts, with its secrets
              weir show Captures/ --messages                            all captures of a folder

            A query of --where is made of these, with 'and', 'or', 'not' and parentheses; a text with blanks or parentheses \
            stands in quotation marks:

            \(QueryWord.help)

            Among flows it chooses those that fit; of words for messages that 'and' joins, all must hold of one message, or \
            of one request and its answer, and 'not' means: of no message of the flow. With --messages it chooses messages \
            (a request if its answer fits, too), with --packets the packets in which they end. --stats counts, --errors lists, \
            and --export and --har write the messages that fit; --grep shows what is in the flows that fit.

            A flow that Weir recorded has the number that the relay gave it, and both its legs are on one line: client -> \
            listener => egress -> server. It is 'refused' or 'unanswered' if the relay's own dial was. Its messages are \
            those of the client's leg; one that is not the same on the server's leg, because a toxic changed it, is shown \
            again as of #3s. Flows of other captures are numbered from 1 in the order of their first packets.
            """
    )

    @Argument(
        help: ArgumentHelp("Captures and logs to read, or folders of them; - is standard input.", valueName: "file"),
        completion: .file()
    )
    var files: [String] = []

    @Flag(help: "Show a line for each packet.")
    var packets = false

    @Flag(help: "With --packets: show each packet's bytes, with the link layer.")
    var hex = false

    @Flag(help: "Show what the bytes mean: a line for each message, such as a request of HTTP.")
    var messages = false

    @Flag(
        help: """
            With --messages: show each message's fields, with their places in the stream or the datagram; behind a value \
            of which only the beginning is kept stands (cut), in JSON "cut":true.
            """
    )
    var fields = false

    @Flag(help: "Show which protocols are read, on which ports, and the fields of their messages.")
    var dissectors = false

    @Option(help: ArgumentHelp("Show what both sides of a flow sent.", valueName: "flow"))
    var follow: Int?

    @Option(
        name: .customLong("as"),
        help:
            "With --follow: text (the default on a terminal), hex, raw (the default elsewhere) or text2pcap (what it reads)."
    )
    var form: FollowForm?

    @Option(
        help: ArgumentHelp("With --follow: show what went 'up' (from the client) or 'down' alone.", valueName: "way")
    )
    var only: Way?

    @Option(help: "With --follow: which bytes count where segments differ, the first or the last.")
    var overlap = OverlapPolicy.first

    @Flag(help: "Show counts, times, rates, protocols, top talkers and damage.")
    var summary = false

    @OptionGroup var contents: ContentOptions

    @OptionGroup var searches: SearchOptions

    @OptionGroup var decryption: DecryptionOptions

    @Option(help: ArgumentHelp("Show this flow alone.", valueName: "number"))
    var flow: Int?

    @Option(
        help: """
            With --messages, --packets, --follow and --grep: the leg of flows that Weir recorded, client (the default) or \
            server (as the relay sent it); packets are of both.
            """
    )
    var leg: FlowLeg?

    @Option(name: .customLong("where"), help: ArgumentHelp("Show the flows that a query wants.", valueName: "query"))
    var condition: String?

    @Option(
        help: ArgumentHelp(
            "Sort flows: \(Self.orders). With --messages: took, for answers with their requests, the slowest first.",
            valueName: "key"
        )
    )
    var sort: FlowOrder?

    @Flag(help: "Turn the order of the flows round.")
    var reverse = false

    @Option(
        help: ArgumentHelp(
            "Show the first of the flows alone, or with --messages --sort took of the answers (\(MessagesShow.defaultLimit) "
                + "if this is left out).",
            valueName: "rows"
        )
    )
    var limit: Int?

    @Flag(help: "Write JSON, one object a line.")
    var json = false

    @Option(
        help: ArgumentHelp(
            "Show these columns of the flows, separated by commas: \(Self.columnNames).",
            valueName: "columns"
        )
    )
    var columns: String?

    @OptionGroup var screen: ScreenOptions

    private static let columnNames = FlowColumn.allCases.map(\.rawValue).joined(separator: ", ")
    private static let orders = FlowOrder.allCases.map(\.rawValue).joined(separator: ", ")

    func validate() throws {
        if [packets, messages, follow != nil, summary].count(where: { $0 }) > 1 {
            throw ValidationError("--packets, --messages, --follow and --summary exclude each other.")
        }
        if contents.files(files).isEmpty != dissectors {
            throw ValidationError(
                dissectors ? "--dissectors reads no capture." : "Missing expected argument '<file> ...'"
            )
        }
        let isOther = packets || messages || follow != nil || summary
        try contents.check(files, others: isOther, json: json, chooses: flow != nil || condition != nil)
        try searches.check(others: isOther || !contents.given.isEmpty, isLegGiven: leg != nil)
        let isFlows = !isOther && contents.given.isEmpty && searches.given.isEmpty
        if fields, !messages { throw ValidationError("--fields needs --messages.") }
        if hex, !packets { throw ValidationError("--hex needs --packets.") }
        if form != nil || only != nil, follow == nil { throw ValidationError("--as and --only need --follow.") }
        if overlap != .first, follow == nil { throw ValidationError("--overlap needs --follow.") }
        if json, form != nil { throw ValidationError("--json and --as exclude each other.") }
        let sortsMessages = messages && sort == .took && !reverse
        if sort != nil || reverse, !isFlows, !sortsMessages {
            throw ValidationError("--sort and --reverse are for the flows, and --sort took for --messages.")
        }
        if limit != nil, !isFlows, !sortsMessages {
            throw ValidationError("--limit is for the flows, and for --messages --sort took.")
        }
        if let limit, limit < 1 { throw ValidationError("--limit takes a number of rows, from 1.") }
        if flow != nil || condition != nil, follow != nil || summary {
            throw ValidationError("--flow and --where are not for --follow and --summary.")
        }
        if columns != nil, !isFlows || json { throw ValidationError("--columns is for the table of flows.") }
        _ = try shownColumns()
        if leg != nil, !packets, !messages, follow == nil, searches.grep == nil {
            throw ValidationError("--leg is for --messages, --packets, --follow and --grep.")
        }
        for (name, value) in [("--flow", flow), ("--follow", follow)] where value.map({ $0 < 1 }) ?? false {
            throw ValidationError("\(name) takes the number of a flow, from 1.")
        }
        if files.count(where: { $0 == "-" }) > 1 { throw ValidationError("Standard input can be read once.") }
    }

    func run() throws {
        let query = try query()
        let output = ShowOutput()
        if follow != nil, form == .raw, output.isTerminal {
            throw Failure(.usage, "--as raw is for a pipe or a file: bytes of the traffic can steer a terminal")
        }
        if dissectors {
            output.write { DissectorsText.append(Dissectors.descriptions, to: &$0) }
            return output.flush()
        }
        let inputs = try ShowInputs(contents.files(files))
        let decryption = try ShowDecryption(self.decryption, inputs)
        var run = ShowRun(inputs, output, decryption, flow: flow ?? follow ?? contents.curl?.flow)
        let style = screen.style(of: STDOUT_FILENO)
        if try contents.show(&run, query, json: json, style) { return try run.end() }
        if try searches.show(&run, query, leg: leg, json: json, style) { return try run.end() }
        if packets {
            var view = PacketsShow(query, leg: leg, hasHex: hex, isJSON: json, style)
            run.show(&view)
        } else if messages {
            let slowest = sort == .took ? limit ?? MessagesShow.defaultLimit : nil
            var view = MessagesShow(query, leg: leg, hasFields: fields, isJSON: json, slowest: slowest, style)
            run.show(&view)
        } else if let follow {
            var settings = ReassemblySettings()
            settings.overlap = overlap
            let form = form ?? (output.isTerminal ? .text : .raw)
            let shape = json ? FollowShow.Form.json : .form(form)
            var view = FollowShow(follow, leg: leg, shape, only: only?.direction, settings, style)
            run.show(&view)
        } else if summary {
            var view = SummaryShow(isJSON: json, color: style.color)
            run.show(&view)
        } else {
            var view = FlowsShow(
                query,
                order: sort ?? .flow,
                isReversed: reverse,
                limit: limit,
                isJSON: json,
                style,
                columns: try shownColumns()
            )
            run.show(&view)
        }
        try run.end()
    }

    /// Combines `--where` and `--flow` into one query.
    func query() throws(Failure) -> FlowQuery? {
        var query: FlowQuery?
        do throws(FlowQueryError) {
            query = try condition.map { text throws(FlowQueryError) in try FlowQuery(parsing: text) }
        } catch {
            throw Failure(.usage, "--where: \(error.explanation)")
        }
        let live = packets ? "--packets" : messages ? "--messages" : contents.live
        let counting = contents.stats != nil ? "--stats" : searches.errors ? "--errors" : nil
        if let query { try Self.check(query, live: live, counting: counting) }
        guard let flow else { return query }
        return query.map { .and($0, .number(flow)) } ?? .number(flow)
    }

    /// Reads `--columns`.
    private func shownColumns() throws -> [FlowColumn]? {
        try columns?.split(separator: ",", omittingEmptySubsequences: false).map { word in
            let name = word.filter { $0 != " " }
            if let column = FlowColumn(rawValue: name) { return column }
            throw ValidationError("--columns: '\(SafeText.escaped(name))' is no column; there are \(Self.columnNames).")
        }
    }

    /// Refuses what a view cannot answer; `counting` is the option of a view that chooses messages while it reads, and flows
    /// at the end.
    private static func check(_ query: FlowQuery, live: String?, counting: String?) throws(Failure) {
        let needs = query.needs
        if let live, needs.contains(.end) {
            throw Failure(
                .usage,
                "--where: with \(live) a query cannot ask for what is known only when a flow has ended"
            )
        }
        if let counting, query.mixesEndsWithMessages {
            throw Failure(
                .usage,
                "--where: with \(counting) what is known only when a flow has ended is joined to what messages say with "
                    + "'and' alone, not within 'or' or 'not'"
            )
        }
        if needs.contains(.proxy) {
            throw Failure(.usage, "--where: a capture does not name routes; ask for the port of the listener")
        }
    }
}

extension FlowLeg: ExpressibleByArgument {
    /// Creates the leg with a name: `client` or `server`.
    public init?(argument: String) {
        guard let leg = Self.allCases.first(where: { "\($0)" == argument }) else { return nil }
        self = leg
    }

    /// The names of the legs.
    public static var allValueStrings: [String] { allCases.map { "\($0)" } }
}

/// The direction to show.
enum Way: String, ExpressibleByArgument, CaseIterable {
    case up, down

    var direction: Direction { self == .up ? .upstream : .downstream }
}
