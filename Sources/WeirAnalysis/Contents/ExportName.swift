import WeirWire

/// The path of a file within a folder, made of a name in the traffic: it cannot lead out of the folder, name a hidden
/// file, or control a terminal.
public struct ExportName: Hashable, Sendable {
    /// The folders, from the outermost on, and the file's name: never empty, `.` or `..`, never with a slash or a NUL,
    /// and never with a dot at its start.
    public private(set) var components: [String]

    /// The maximum length of a component, in bytes: file systems allow 255, and a suffix may follow.
    static let longest = 200
    /// The maximum number of components: of a longer path, the last ones count.
    static let most = 16

    /// Makes a name of the target of a request of HTTP: its path, without host and query.
    ///
    /// - Parameters:
    ///   - target: The target; one of another form than a path or a URL gives the name `body`.
    ///   - mediaType: The type of the body, which names a body whose path ends with a slash.
    public init(target: String, mediaType: String = "") {
        var path = Array(target.utf8)[...]
        // The absolute form, to a proxy: RFC 9112 section 3.2.2.
        if let scheme = path.firstIndex(of: UInt8(ascii: ":")), path[scheme...].starts(with: "://".utf8) {
            path = path[(scheme + 3)...].drop { $0 != UInt8(ascii: "/") }
        }
        path = path.prefix { $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") }
        self.init(path: Self.decoded(path), isFolder: path.last == UInt8(ascii: "/") || path.isEmpty, mediaType)
    }

    /// Makes a name of a file's path, as it is in FTP and TFTP.
    public init(path: String) {
        self.init(path: path.split(separator: "/").map { Array($0.utf8) }, isFolder: false, "")
    }

    private init(path: [[UInt8]], isFolder: Bool, _ mediaType: String) {
        components = path.filter { !$0.isEmpty && $0 != [UInt8(ascii: ".")] }.map(Self.safe).suffix(Self.most)
        if isFolder { components.append("index" + Self.suffix(of: mediaType)) }
        if components.isEmpty { components = ["body" + Self.suffix(of: mediaType)] }
    }

    /// The path below the folder.
    public var path: String { components.joined(separator: "/") }

    /// Returns the name with a word at its end, such as `.request`.
    public func adding(_ word: String) -> ExportName {
        var name = self
        name.components[components.count - 1] += word
        return name
    }

    /// Returns the name for when others have it: `logo-2.png`.
    public func numbered(_ number: Int) -> ExportName {
        var name = self
        let last = components[components.count - 1]
        let dot = last.lastIndex(of: ".") ?? last.endIndex
        name.components[components.count - 1] = "\(last[..<dot])-\(number)\(last[dot...])"
        return name
    }

    /// Splits a path at its slashes, and replaces what is percent-encoded in its components.
    private static func decoded(_ path: ArraySlice<UInt8>) -> [[UInt8]] {
        path.split(separator: UInt8(ascii: "/")).map { component in
            var bytes: [UInt8] = []
            var rest = component
            while let byte = rest.popFirst() {
                if byte == UInt8(ascii: "%"), let high = digit(rest.first), let low = digit(rest.dropFirst().first) {
                    bytes.append(high << 4 | low)
                    rest = rest.dropFirst(2)
                } else {
                    bytes.append(byte)
                }
            }
            return bytes
        }
    }

    private static func digit(_ byte: UInt8?) -> UInt8? {
        switch byte {
        case .some(let byte) where byte >= 0x30 && byte <= 0x39: byte - 0x30
        case .some(let byte) where byte | 0x20 >= 0x61 && byte | 0x20 <= 0x66: (byte | 0x20) - 0x57
        default: nil
        }
    }

    /// Returns a component with `_` in place of what is not safe, and cut in its middle if it is too long.
    private static func safe(_ bytes: [UInt8]) -> String {
        var text = String.UnicodeScalarView()
        for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars {
            let isKept = SafeText.isSafe(scalar.value) && scalar != "/" && scalar != "\\" && scalar != "\u{FFFD}"
            text.append(isKept ? scalar : "_")
        }
        if text.first == "." { text.replaceSubrange(text.startIndex..<text.index(after: text.startIndex), with: ["_"]) }
        let whole = String(text)
        guard whole.utf8.count > longest else { return whole }
        // The end tells the kind of the file.
        let dot = whole.lastIndex(of: ".").map { whole[$0...] } ?? ""
        let end = dot.utf8.count <= 16 ? dot : ""
        var (start, count) = (String.UnicodeScalarView(), end.utf8.count)
        for scalar in whole.unicodeScalars {
            count += UTF8.width(scalar)
            guard count <= longest else { break }
            start.append(scalar)
        }
        return String(start) + end
    }

    /// Returns the usual end of the names of files of a type; none for a type that is not in the table.
    private static func suffix(of mediaType: String) -> String {
        suffixes.first { $0.type == mediaType }.map { "." + $0.suffix } ?? ""
    }

    private static let suffixes: [(type: String, suffix: String)] = [
        ("text/html", "html"), ("text/plain", "txt"), ("text/css", "css"), ("text/csv", "csv"), ("text/xml", "xml"),
        ("application/json", "json"), ("application/xml", "xml"), ("application/javascript", "js"),
        ("text/javascript", "js"), ("application/pdf", "pdf"), ("application/zip", "zip"), ("image/png", "png"),
        ("image/jpeg", "jpg"), ("image/gif", "gif"), ("image/webp", "webp"), ("image/svg+xml", "svg"),
    ]
}
