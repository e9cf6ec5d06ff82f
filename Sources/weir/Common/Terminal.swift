import ArgumentParser
import CWeir
import Glibc
import WeirWire

/// The choice of when lines are coloured.
enum ColorChoice: String, ExpressibleByArgument, CaseIterable {
    case auto, always, never
}

/// The options for what a screen can show.
struct ScreenOptions: ParsableArguments {
    @Option(help: "Colour lines: auto (on a terminal, unless NO_COLOR is set), always or never.")
    var color = ColorChoice.auto

    @Flag(help: "Use ASCII alone, as if the locale had no UTF-8.")
    var ascii = false

    /// Returns what the reader of a descriptor can show.
    func style(of descriptor: Int32) -> TerminalStyle {
        let width = Terminal.width(of: descriptor)
        let isColored =
            switch color {
            case .always: true
            case .never: false
            case .auto: width != nil && Terminal.allowsColor
            }
        return TerminalStyle(width: width, isUnicode: !ascii && Terminal.isUnicode, color: isColored)
    }
}

/// The terminal in which the program runs.
enum Terminal {
    /// Whether the terminal can show colour, and the user has not turned it off (no-color.org).
    static var allowsColor: Bool {
        if let value = getenv("NO_COLOR"), value.pointee != 0 { return false }
        guard let term = getenv("TERM") else { return true }
        return String(cString: term) != "dumb"
    }

    /// Whether the terminal can go back to the start of a line and clear it.
    static var movesCursor: Bool { getenv("TERM").map { String(cString: $0) != "dumb" } ?? false }

    /// Whether the locale has UTF-8; one that says nothing has it.
    ///
    /// Source: POSIX.1-2024, Base Definitions, section 8.2: the first of these variables that is set and not empty counts.
    static var isUnicode: Bool {
        for name in ["LC_ALL", "LC_CTYPE", "LANG"] {
            guard let value = getenv(name), value.pointee != 0 else { continue }
            let locale = String(cString: value).lowercased()
            return locale.contains("utf-8") || locale.contains("utf8")
        }
        return true
    }

    /// The number of columns of standard output; nil if it is no terminal.
    static var width: Int? { width(of: STDOUT_FILENO) }

    /// The number of columns of the terminal behind a descriptor; nil if it is no terminal.
    ///
    /// If the terminal does not know, the variable COLUMNS counts, or 80.
    static func width(of descriptor: Int32) -> Int? {
        guard isatty(descriptor) == 1 else { return nil }
        var size = winsize()
        if ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 { return Int(size.ws_col) }
        let columns = getenv("COLUMNS").flatMap { Int(String(cString: $0)) }
        return columns.flatMap { $0 > 0 ? $0 : nil } ?? 80
    }

    /// How far local time is ahead of UTC.
    static let localOffset: Timestamp.LocalOffset = { Int(weir_local_offset($0)) }
}
