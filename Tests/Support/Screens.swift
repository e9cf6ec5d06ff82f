import Foundation

/// The screens for which there are goldens in `Captures/Screens`, and the goldens.
///
/// A golden has what is shown on each screen, one after another, below a line that names the screen. An escape is `\e` there.
package enum Screens {
    /// One screen.
    package struct Screen: Sendable, CustomStringConvertible {
        package var width: Int
        package var color = false
        package var isASCII = false

        package var description: String {
            "\(width) columns\(color ? ", colour" : "")\(isASCII ? ", ASCII" : "")"
        }
    }

    /// The screens: three widths, each plain, in colour and without Unicode.
    package static let all = [80, 100, 120].flatMap { width in
        [Screen(width: width), Screen(width: width, color: true), Screen(width: width, isASCII: true)]
    }

    /// The folder, with the traffic that is shown: a log as `weir relay --log --log-bytes` writes it, of redis, HTTP, PostgreSQL,
    /// DNS and echo, and of a flow that is refused and one that is reset.
    package static let folder =
        URL(fileURLWithPath: #filePath).appendingPathComponent("../../../Captures/Screens").standardizedFileURL.path
    package static let traffic = "traffic.jsonl"

    /// Returns the text of a golden.
    package static func golden(_ shown: [(screen: Screen, text: String)]) -> String {
        shown.map { "== \($0.screen)\n" + $0.text.replacing("\u{1B}", with: "\\e") }.joined()
    }

    /// Reads a golden; `WEIR_UPDATE_GOLDENS=1` makes it anew of what is shown.
    package static func expected(_ name: String, _ text: String) throws -> String {
        let path = "\(folder)/\(name).txt"
        if ProcessInfo.processInfo.environment["WEIR_UPDATE_GOLDENS"] != nil {
            try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        }
        return String(decoding: try TemporaryFolder.read(path), as: UTF8.self)
    }
}
