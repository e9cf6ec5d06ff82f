public import WeirEngine
public import WeirWire

/// The reason why a capture could not be opened or read.
public enum CaptureFailure: Error, Hashable, Sendable {
    /// A system call failed while Weir tried to do what `attempt` describes.
    case system(attempt: String, ErrorNumber)
    /// The file is no capture, or is damaged or cut.
    case capture(CaptureFileError, path: String)
    /// Data compressed with gzip cannot be decompressed; the offset is in the compressed file.
    case gzip(GzipDamage, at: Int, path: String)
    /// The file is a relay's log, or looks like one, and has not what is needed of it; in words that follow its name.
    case log(String, path: String)
}

extension CaptureFailure: CustomStringConvertible {
    /// The error in one line, such as `cannot open 'flows.pcapng': no such file or folder (ENOENT)`.
    public var description: String {
        switch self {
        case .system(let attempt, let error): "cannot \(attempt): \(error)"
        case .capture(let error, let path): "\(Self.name(of: path)): \(error)"
        case .gzip(let damage, let offset, let path):
            "\(Self.name(of: path)): at byte \(offset), \(damage); all before it can be used"
        case .log(let words, let path): "\(Self.name(of: path)): \(words)"
        }
    }

    private static func name(of path: String) -> String { path == "-" ? "standard input" : "'\(path)'" }
}
