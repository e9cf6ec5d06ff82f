import Foundation
import Support
import Testing

@testable import weir

/// What is printed for screens that have no Unicode, no colour, or little room.
@Suite("Screens", .tags(.capture), .timeLimit(.minutes(1)))
struct ScreenTests {
    private static let capture =
        URL(fileURLWithPath: #filePath).appendingPathComponent("../../../../Captures/demo.pcapng").standardizedFileURL
        .path

    private static func show(
        _ options: [String],
        _ variables: [String],
        without others: [String] = []
    ) async throws -> String {
        let launcher = ["env"] + others.flatMap { ["-u", $0] } + ["TZ=UTC"] + variables
        let program = try WeirProgram(["show", capture] + options, launcher: launcher)
        let ended = try await program.finish()
        #expect(ended.status == 0, "\(ended.errors)")
        return String(decoding: ended.output, as: UTF8.self)
    }

    @Test(
        "Signs are ASCII if that is asked for, or the locale has nothing else",
        arguments: [
            ([], ["LC_ALL=C.UTF-8"], true), ([], ["LC_ALL=en_US.utf8"], true), ([], ["LC_ALL="], true),
            ([], ["LC_ALL=C"], false), ([], ["LC_ALL=", "LC_CTYPE=POSIX", "LANG=C.UTF-8"], false),
            ([], ["LC_ALL=de_DE.ISO-8859-1"], false), (["--ascii"], ["LC_ALL=C.UTF-8"], false),
        ] as [([String], [String], Bool)]
    )
    func signs(options: [String], variables: [String], isUnicode: Bool) async throws {
        let others = variables == ["LC_ALL="] ? ["LC_CTYPE", "LANG"] : []
        let text = try await Self.show(options, variables, without: others)
        #expect(text.contains(" → ") == isUnicode && text.contains(" -> ") != isUnicode)
        #expect(isUnicode || text.utf8.allSatisfy { $0 < 0x80 })
    }

    @Test(
        "A pipe has colours only if they are asked for",
        arguments: [("auto", false), ("always", true), ("never", false)]
    )
    func colors(choice: String, isColored: Bool) async throws {
        #expect(try await Self.show(["--color", choice], ["NO_COLOR="]).contains("\u{1B}[") == isColored)
    }

    @Test("Columns are those that are asked for, in their order; an unknown one is named")
    func columns() async throws {
        let text = try await Self.show(["--columns", "server,flow"], [])
        #expect(text.hasPrefix("server           flow\n127.0.0.1:42199     1\n"))
        let ended = try await WeirProgram(["show", Self.capture, "--columns", "flow,nothing"]).finish()
        #expect(
            ended.status == 64 && ended.errors.contains("--columns: 'nothing' is no column; there are flow, time, ")
        )
        let other = try await WeirProgram(["show", Self.capture, "--columns", "flow", "--packets"]).finish()
        #expect(other.status == 64 && other.errors.contains("--columns is for the table of flows."))
    }
}
