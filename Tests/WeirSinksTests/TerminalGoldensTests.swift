import Support
import Testing
import WeirDissect
import WeirEngine
import WeirWire

@testable import WeirSinks

/// What the relay shows of the traffic in `Captures/Screens` on terminals of three widths, with colour and without, and in ASCII.
@Suite("The relay's terminal", .tags(.capture))
struct TerminalGoldensTests {
    /// A record of the traffic, with its bytes.
    private struct Item: Sendable {
        var record: FlowRecord
        var bytes: [UInt8]
    }

    /// Reads the traffic, and the processes of its clients.
    private static func traffic() throws -> (items: [Item], processes: [FlowID: ClientProcess]) {
        var (items, processes, reader) = ([Item](), [FlowID: ClientProcess](), LogRecordReader())
        for line in try TemporaryFolder.read("\(Screens.folder)/\(Screens.traffic)").split(
            separator: UInt8(ascii: "\n")
        ) {
            let item = line.withUnsafeBytes { reader.read($0) }
            guard case .record(let record) = item else {
                throw HelperError("no record: \(String(decoding: line, as: UTF8.self))")
            }
            if case .opened = record.happening { processes[record.flow] = reader.process }
            let isChunk = if case .forwarded = record.happening { true } else { false }
            items.append(Item(record: record, bytes: isChunk ? reader.bytes : []))
        }
        return (items, processes)
    }

    private static func shown(_ show: TerminalSink.Show, hasFields: Bool, _ style: TerminalStyle) throws -> String {
        let (items, processes) = try traffic()
        let details = FlowDetails(
            process: { processes[$0].map { .found($0) } ?? .notAsked },
            name: { $0 == IPAddress("10.0.0.6") ? "db.internal" : nil }
        )
        var options = TerminalSink.Options()
        (options.limit, options.dissects, options.showsFields) = (512, true, hasFields)
        var sink = TerminalSink(show: show, options, style: style, details: details)
        var reader = FlowMessages(sink.messages)
        var text = ""
        for item in items {
            var messages: [FlowRecord] = []
            reader.read(item.record, item.bytes.span.bytes) { message in
                let happening = FlowRecord.Happening.message(message)
                messages.append(FlowRecord(of: item.record.subject, moment: item.record.moment, happening: happening))
            }
            for message in messages { text += sink.rendered(message) }
            text += sink.rendered(item.record, item.bytes)
        }
        return text + sink.finished()
    }

    @Test(
        "Is what it was, and fits",
        arguments: [
            ("relay-hex", .hex, false), ("relay-fields", .hex, true), ("relay-text", .text, false),
            ("relay-messages", .messages, false), ("relay-summary", .summary, false), ("relay-ports", .ports, false),
        ] as [(String, TerminalSink.Show, Bool)]
    )
    func golden(name: String, show: TerminalSink.Show, hasFields: Bool) throws {
        var all: [(Screens.Screen, String)] = []
        for screen in Screens.all {
            let style = TerminalStyle(width: screen.width, isUnicode: !screen.isASCII, color: screen.color)
            let text = try Self.shown(show, hasFields: hasFields, style)
            all.append((screen, text))
            // Texts of the traffic are not cut.
            for line in text.split(separator: "\n") where !line.hasPrefix("  | ") {
                #expect(DisplayWidth.columns(of: Array(line.utf8).span.bytes) <= screen.width, "\(screen): \(line)")
            }
            #expect(screen.color || !text.contains("\u{1B}"))
            #expect(!screen.isASCII || text.utf8.allSatisfy { $0 < 0x80 })
        }
        let text = Screens.golden(all)
        #expect(text == (try Screens.expected(name, text)))
    }
}
