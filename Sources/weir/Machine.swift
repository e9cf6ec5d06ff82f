import Glibc

/// Knows the machine that the program runs on.
enum Machine {
    /// Names the kernel, as `uname -srm` does.
    static var operatingSystem: String? {
        var name = utsname()
        guard uname(&name) == 0 else { return nil }
        func text<Field>(_ field: Field) -> String {
            withUnsafeBytes(of: field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        }
        return "\(text(name.sysname)) \(text(name.release)) \(text(name.machine))"
    }
}
