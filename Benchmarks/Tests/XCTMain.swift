import Testing

/// The program that runs the tests.
///
/// All of them are swift-testing's, which finds them by itself. With a main file of the project the package manager need not
/// search for those of XCTest, for which it makes an index of all code: a fifth of the time in which the tests are built.
@main
enum TestMain {
    static func main() async {
        // `swift test` calls it for XCTest's as well, of which there are none.
        guard CommandLine.arguments.contains("swift-testing") else { return }
        await Testing.__swiftPMEntryPoint() as Never
    }
}
