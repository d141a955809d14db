// The page was loaded without its token. This tab's session may still have it.
const token = sessionStorage.getItem("token");
const address = new URL(location.href);

if (address.searchParams.has("token")) sessionStorage.removeItem("token");
else if (token) {
  address.searchParams.set("token", token);
  location.replace(address);
}
