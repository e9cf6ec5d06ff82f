import Glibc
import WeirEngine
import WeirRelay

/// A hexdump, which can be read back.
enum HexText {
    /// Returns the dump of `hexdump -Cv` without its closing offset.
    static func dump(_ bytes: [UInt8]) -> String {
        var lines = ""
        var offset = 0
        while offset < bytes.count {
            let row = Array(bytes[offset..<min(offset + 16, bytes.count)])
            var line = hex(UInt32(offset), digits: 8) + " "
            for index in 0..<16 {
                if index == 8 { line += " " }
                line += index < row.count ? " " + hex(UInt32(row[index]), digits: 2) : "   "
            }
            line += "  |"
            line += String(decoding: row.map { (0x20..<0x7F).contains($0) ? $0 : UInt8(ascii: ".") }, as: UTF8.self)
            lines += line + "|\n"
            offset += 16
        }
        return lines
    }

    private static func hex(_ value: UInt32, digits: Int) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }

    /// Reads the bytes of a dump; returns nil and the number of the wrong line if it is not one.
    ///
    /// The offset at a line's start, the text between bars at its end, empty lines and lines that begin with `#` are
    /// skipped; a line may have any number of bytes.
    static func read(_ text: String) -> (bytes: [UInt8]?, badLine: Int) {
        var bytes: [UInt8] = []
        for (number, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let content = line.prefix { $0 != "|" }
            guard let first = content.first(where: { $0 != " " && $0 != "\t" }), first != "#" else { continue }
            var words = content.split { $0 == " " || $0 == "\t" }
            // A line that the user added may have no offset.
            if let word = words.first, word.count == 8 { words.removeFirst() }
            for word in words {
                guard word.count == 2, let byte = UInt8(word, radix: 16) else { return (nil, number + 1) }
                bytes.append(byte)
            }
        }
        return (bytes, 0)
    }
}

/// The user's editor, in which the user changes bytes.
enum HexEditor {
    private static let running = Lock(false)

    /// Whether an editor now uses the terminal.
    static var isRunning: Bool { running.withLock { $0 } }

    private static let head = """
        # Change, add or delete bytes: two hex digits each, with blanks between. The offsets at the front and
        # the text between the bars are not read. An empty file drops the chunk.

        """

    /// Opens the editor, and returns the saved bytes; nil if they cannot be read, or the editor failed.
    static func edit(_ bytes: [UInt8]) throws(Failure) -> [UInt8]? {
        var template = Array("/tmp/weir-hold-XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        guard descriptor >= 0 else {
            throw Failure(.cannotCreate, "\(SystemError("make a file in /tmp", ErrorNumber(errno)))")
        }
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer { unlink(path) }
        let text = Array((head + HexText.dump(bytes)).utf8)
        let written = write(descriptor, text, text.count)
        close(descriptor)
        guard written == text.count else {
            throw Failure(.inputOutput, "\(SystemError("write '\(path)'", ErrorNumber(errno)))")
        }
        guard run(path) else {
            Diagnostics.write("the editor failed; nothing was changed\n")
            return nil
        }
        let (edited, line) = HexText.read(String(decoding: try SmallFile.read(path), as: UTF8.self))
        if edited == nil { Diagnostics.write("line \(line) is no hexdump; nothing was changed\n") }
        return edited
    }

    /// Runs the user's editor through the shell, since $EDITOR may have arguments.
    private static func run(_ path: String) -> Bool {
        running.withLock { $0 = true }
        defer { running.withLock { $0 = false } }
        func setting(_ name: String) -> String? {
            guard let value = getenv(name), value.pointee != 0 else { return nil }
            return String(cString: value)
        }
        let editor = setting("VISUAL") ?? setting("EDITOR")
        let command = (editor ?? "vi") + " \"$1\""
        let words: [String] = ["/bin/sh", "-c", command, "sh", path]
        var arguments: [UnsafeMutablePointer<CChar>?] = []
        for word in words { arguments.append(strdup(word)) }
        arguments.append(nil)
        defer { for argument in arguments { free(argument) } }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // This program blocks and ignores signals that an editor needs.
        var none = sigset_t()
        sigemptyset(&none)
        var defaults = sigset_t()
        sigemptyset(&defaults)
        sigaddset(&defaults, SIGPIPE)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &defaults)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        var child = pid_t()
        guard posix_spawn(&child, "/bin/sh", nil, &attributes, &arguments, environ) == 0 else { return false }
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0 { guard errno == EINTR else { return false } }
        return status == 0
    }
}
