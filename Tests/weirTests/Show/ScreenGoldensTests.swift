import Foundation
import Support
import Testing
import WeirWire

/// What each view shows on terminals of three widths, with colour and without, and in ASCII: `Captures/Screens`.
@Suite("Views on screens", .tags(.capture), .timeLimit(.minutes(1)))
struct ScreenGoldensTests {
    /// A view, and the file of what it shows.
    struct View: Sendable, CustomTestStringConvertible {
        var golden: String
        var options: [String]
        /// Whether each line is cut to fit: the text and the dumps of traffic are not.
        var isCut = true
        var command = "show"

        var testDescription: String { golden }
    }

    private static let views = [
        View(golden: "flows", options: []),
        View(golden: "flows-egress", options: ["--where", "egress port 42010 or egress port 42012"]),
        View(golden: "flows-longest", options: ["--sort", "took", "--limit", "3"]),
        View(golden: "messages", options: ["--messages"]),
        View(golden: "messages-errors", options: ["--messages", "--where", "error"]),
        View(golden: "messages-fields", options: ["--messages", "--fields", "--flow", "4"]),
        View(golden: "messages-slowest", options: ["--messages", "--sort", "took", "--limit", "5"]),
        View(golden: "packets", options: ["--packets", "--flow", "2"]),
        View(golden: "packets-hex", options: ["--packets", "--hex", "--flow", "4"], isCut: false),
        View(golden: "follow", options: ["--follow", "1"], isCut: false),
        View(golden: "follow-hex", options: ["--follow", "3", "--as", "hex"], isCut: false),
        View(golden: "summary", options: ["--summary"], isCut: false),
        View(golden: "errors", options: ["--errors"]), View(golden: "stats", options: ["--stats"]),
        View(golden: "grep", options: ["--grep", "item"]),
        View(golden: "ports", options: ["--range", "32768-60999"], isCut: false, command: "ports"),
    ]

    /// Runs the program on a terminal.
    private static func shown(_ view: View, _ screen: Screens.Screen) async throws -> String {
        let terminal = try PseudoTerminal(columns: screen.width)
        let color = ["--color", screen.color ? "always" : "never"] + (screen.isASCII ? ["--ascii"] : [])
        let program = try WeirProgram(
            [view.command, Screens.traffic] + view.options + color,
            launcher: ["env", "-C", Screens.folder, "TZ=UTC"],
            output: .file(terminal.path)
        )
        let reading = try Background { try terminal.read() }
        let ended = try await program.finish()
        #expect(ended.status == 0 && ended.errors == "", "\(ended.errors)")
        return String(decoding: try reading.value(), as: UTF8.self)
    }

    @Test("Are what they were, and fit", arguments: views)
    func golden(_ view: View) async throws {
        var shown: [(Screens.Screen, String)] = []
        // weir ports has no ASCII form.
        for screen in Screens.all where view.command == "show" || !screen.isASCII {
            let text = try await Self.shown(view, screen)
            shown.append((screen, text))
            #expect(!text.isEmpty)
            #expect(!screen.isASCII || text.utf8.allSatisfy { $0 < 0x80 })
            #expect(text.contains("\u{1B}") == false || screen.color)
            for line in text.split(separator: "\n") where view.isCut {
                #expect(DisplayWidth.columns(of: Array(line.utf8).span.bytes) <= screen.width, "\(screen): \(line)")
            }
        }
        let text = Screens.golden(shown)
        #expect(text == (try Screens.expected(view.golden, text)))
    }

    @Test("Every golden of the folder is shown by a view, or by the relay")
    func files() throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: Screens.folder).filter {
            !$0.hasPrefix("relay-")
        }
        #expect(Set(names) == Set(Self.views.map { "\($0.golden).txt" } + [Screens.traffic]))
    }
}
