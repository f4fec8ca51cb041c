-- A shop that rents films, of the shape that is known as Sakila; the rows are made up.
CREATE TABLE actor (
  actor_id numeric NOT NULL,
  first_name VARCHAR(45) NOT NULL,
  last_name VARCHAR(45) NOT NULL,
  last_update TIMESTAMP NOT NULL,
  PRIMARY KEY (actor_id)
);
CREATE INDEX idx_actor_last_name ON actor(last_name);
CREATE TRIGGER actor_trigger_ai AFTER INSERT ON actor BEGIN
  UPDATE actor SET last_update = '2006-02-15 04:34:33' WHERE rowid = new.rowid;
END;
CREATE TABLE country (country_id SMALLINT NOT NULL, country VARCHAR(50) NOT NULL, last_update TIMESTAMP, PRIMARY KEY (country_id));
CREATE TABLE city (
  city_id int NOT NULL,
  city VARCHAR(50) NOT NULL,
  country_id SMALLINT NOT NULL,
  last_update TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
  PRIMARY KEY (city_id),
  CONSTRAINT fk_city_country FOREIGN KEY (country_id) REFERENCES country (country_id) ON DELETE NO ACTION ON UPDATE CASCADE
);
CREATE INDEX idx_fk_country_id ON city(country_id);
CREATE TABLE address (
  address_id int NOT NULL,
  address VARCHAR(50) NOT NULL,
  address2 VARCHAR(50) DEFAULT NULL,
  district VARCHAR(20) NOT NULL,
  city_id INT NOT NULL,
  postal_code VARCHAR(10) DEFAULT NULL,
  phone VARCHAR(20) NOT NULL,
  location BLOB,
  PRIMARY KEY (address_id),
  CONSTRAINT fk_address_city FOREIGN KEY (city_id) REFERENCES city (city_id) ON DELETE NO ACTION ON UPDATE CASCADE
);
CREATE TABLE language (language_id SMALLINT NOT NULL, name CHAR(20) NOT NULL, PRIMARY KEY (language_id));
CREATE TABLE category (category_id SMALLINT NOT NULL, name VARCHAR(25) NOT NULL, PRIMARY KEY (category_id));
CREATE TABLE store (
  store_id INT NOT NULL,
  manager_staff_id SMALLINT NOT NULL,
  address_id INT NOT NULL,
  PRIMARY KEY (store_id),
  FOREIGN KEY (manager_staff_id) REFERENCES staff (staff_id),
  FOREIGN KEY (address_id) REFERENCES address (address_id)
);
CREATE TABLE staff (
  staff_id SMALLINT NOT NULL,
  first_name VARCHAR(45) NOT NULL,
  address_id INT NOT NULL,
  picture BLOB DEFAULT NULL,
  store_id INT NOT NULL,
  active SMALLINT DEFAULT 1 NOT NULL CHECK (active IN (0, 1)),
  username VARCHAR(16) NOT NULL UNIQUE COLLATE NOCASE,
  password VARCHAR(40) DEFAULT NULL,
  PRIMARY KEY (staff_id),
  FOREIGN KEY (store_id) REFERENCES store (store_id) ON DELETE NO ACTION ON UPDATE CASCADE,
  FOREIGN KEY (address_id) REFERENCES address (address_id)
);
CREATE TABLE customer (
  customer_id INT NOT NULL,
  store_id INT NOT NULL,
  first_name VARCHAR(45) NOT NULL,
  email VARCHAR(50) DEFAULT NULL,
  address_id INT NOT NULL,
  active CHAR(1) DEFAULT 'Y' NOT NULL,
  create_date TIMESTAMP NOT NULL,
  PRIMARY KEY (customer_id),
  FOREIGN KEY (store_id) REFERENCES store (store_id),
  FOREIGN KEY (address_id) REFERENCES address (address_id)
);
CREATE TABLE film (
  film_id int NOT NULL,
  title VARCHAR(255) NOT NULL,
  description BLOB SUB_TYPE TEXT DEFAULT NULL,
  release_year VARCHAR(4) DEFAULT NULL,
  language_id SMALLINT NOT NULL,
  original_language_id SMALLINT DEFAULT NULL,
  rental_duration SMALLINT DEFAULT 3 NOT NULL,
  rental_rate DECIMAL(4,2) DEFAULT 4.99 NOT NULL,
  length SMALLINT DEFAULT NULL,
  replacement_cost DECIMAL(5,2) DEFAULT 19.99 NOT NULL,
  rating VARCHAR(10) DEFAULT 'G',
  special_features VARCHAR(100) DEFAULT NULL,
  last_update TIMESTAMP NOT NULL,
  PRIMARY KEY (film_id),
  CONSTRAINT CHECK_special_features CHECK (special_features is null or special_features like '%Trailers%' or special_features like '%Commentaries%'),
  CONSTRAINT CHECK_special_rating CHECK (rating in ('G','PG','PG-13','R','NC-17')),
  CHECK (rental_duration BETWEEN 1 AND 30),
  CHECK (length IS NULL OR length > 0),
  CONSTRAINT fk_film_language FOREIGN KEY (language_id) REFERENCES language (language_id),
  CONSTRAINT fk_film_language_original FOREIGN KEY (original_language_id) REFERENCES language (language_id)
);
CREATE TABLE film_actor (
  actor_id INT NOT NULL,
  film_id INT NOT NULL,
  last_update TIMESTAMP NOT NULL,
  PRIMARY KEY (actor_id, film_id),
  FOREIGN KEY (actor_id) REFERENCES actor (actor_id) ON DELETE CASCADE,
  FOREIGN KEY (film_id) REFERENCES film (film_id) ON DELETE CASCADE
);
CREATE INDEX idx_fk_film_actor_film ON film_actor(film_id);
CREATE TABLE film_category (
  film_id INT NOT NULL,
  category_id SMALLINT NOT NULL,
  PRIMARY KEY (film_id, category_id),
  FOREIGN KEY (film_id) REFERENCES film (film_id),
  FOREIGN KEY (category_id) REFERENCES category (category_id)
) WITHOUT ROWID;
CREATE TABLE film_text (film_id SMALLINT NOT NULL PRIMARY KEY REFERENCES film (film_id) ON DELETE CASCADE, title VARCHAR(255) NOT NULL, description TEXT);
CREATE TABLE inventory (
  inventory_id INT NOT NULL,
  film_id INT NOT NULL,
  store_id INT NOT NULL,
  PRIMARY KEY (inventory_id),
  FOREIGN KEY (store_id) REFERENCES store (store_id),
  FOREIGN KEY (film_id) REFERENCES film (film_id)
);
CREATE INDEX idx_store_id_film_id ON inventory(store_id, film_id);
CREATE TABLE rental (
  rental_id INT NOT NULL,
  rental_date TIMESTAMP NOT NULL,
  inventory_id INT NOT NULL,
  customer_id INT NOT NULL,
  return_date TIMESTAMP DEFAULT NULL,
  staff_id SMALLINT NOT NULL,
  PRIMARY KEY (rental_id),
  FOREIGN KEY (staff_id) REFERENCES staff (staff_id),
  FOREIGN KEY (inventory_id) REFERENCES inventory (inventory_id),
  FOREIGN KEY (customer_id) REFERENCES customer (customer_id)
);
CREATE UNIQUE INDEX idx_rental_uq ON rental (rental_date, inventory_id, customer_id);
CREATE TABLE payment (
  payment_id int NOT NULL,
  customer_id INT NOT NULL,
  staff_id SMALLINT NOT NULL,
  rental_id INT DEFAULT NULL,
  amount DECIMAL(5,2) NOT NULL,
  payment_date TIMESTAMP NOT NULL,
  PRIMARY KEY (payment_id),
  FOREIGN KEY (rental_id) REFERENCES rental (rental_id) ON DELETE SET NULL ON UPDATE CASCADE,
  FOREIGN KEY (customer_id) REFERENCES customer (customer_id),
  FOREIGN KEY (staff_id) REFERENCES staff (staff_id)
);

WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200)
INSERT INTO actor SELECT i, 'FIRST' || i, CASE WHEN i % 10 = 0 THEN 'O''HARA' ELSE 'LAST' || (i % 17) END, '2006-02-15 04:34:33' FROM n;
INSERT INTO country VALUES (1, 'Afghanistan', '2006-02-15 04:44:00'), (20, 'Canada', '2006-02-15 04:44:00'), (8, 'Australia', NULL), (107, 'Réunion', '2021-03-06 15:51:49');
INSERT INTO city VALUES (300, 'Lethbridge', 20, '2006-02-15 04:45:25'), (576, 'Woodridge', 8, '2006-02-15 04:45:25.000'), (1, 'Saint-Denis', 107, '2006-02-15');
INSERT INTO address VALUES (1, '47 MySakila Drive', NULL, 'Alberta', 300, '', '', x'0000000001010000003E0A325D63345CC0761FDB8D99D94840'),
  (2, '28 MySQL Boulevard', NULL, 'QLD', 576, '', '14033335568', NULL), (3, '23 Workhaven Lane', '', 'Alberta', 300, 'T1H 2N6', '6172235589', randomblob(25));
INSERT INTO language VALUES (1, 'English'), (2, 'Italian'), (3, 'Japanese');
INSERT INTO category VALUES (1, 'Action'), (6, 'Documentary'), (14, 'Sci-Fi');
INSERT INTO store VALUES (1, 1, 1), (2, 2, 2);
INSERT INTO staff VALUES (1, 'Mike', 1, randomblob(4000), 1, 1, 'Mike', '8cb2237d0679ca88db6464eac60da96345513964'), (2, 'Jon', 2, NULL, 2, 0, 'Jon', NULL);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 599)
INSERT INTO customer SELECT i, 1 + i % 2, 'MARY' || i, CASE WHEN i % 9 > 0 THEN 'mary' || i || '@sakilacustomer.org' END, 1 + i % 3, CASE WHEN i % 15 = 0 THEN '0' ELSE '1' END, '2006-02-14 22:04:36.000' FROM n;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)
INSERT INTO film SELECT i, 'FILM ' || i, 'An Epic Drama of No. ' || i, '2006', 1 + i % 2, CASE WHEN i % 20 = 0 THEN 3 END, 3 + i % 5, CASE i % 3 WHEN 0 THEN 0.99 WHEN 1 THEN 2.99 ELSE 4.99 END,
  CASE WHEN i % 41 = 0 THEN NULL ELSE 46 + i % 140 END, 9.99 + i % 20, CASE i % 6 WHEN 0 THEN 'G' WHEN 1 THEN 'PG' WHEN 2 THEN 'PG-13' WHEN 3 THEN 'R' WHEN 4 THEN 'NC-17' END,
  CASE WHEN i % 4 = 0 THEN NULL ELSE 'Trailers,Deleted Scenes' END, '2006-02-15 05:03:42' FROM n;
INSERT INTO film_actor SELECT a.actor_id, f.film_id, '2006-02-15 05:05:03' FROM actor a JOIN film f ON (a.actor_id * 3 + f.film_id) % 37 = 0;
INSERT INTO film_category SELECT film_id, CASE film_id % 3 WHEN 0 THEN 1 WHEN 1 THEN 6 ELSE 14 END FROM film;
INSERT INTO film_text SELECT film_id, title, description FROM film WHERE film_id <= 100;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1200)
INSERT INTO inventory SELECT i, 1 + i % 300, 1 + i % 2 FROM n;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
INSERT INTO rental SELECT i, strftime('%Y-%m-%d %H:%M:%S.000', '2005-05-24 22:53:30', '+' || i || ' minutes'), 1 + i % 1200, 1 + i % 599,
  CASE WHEN i % 87 = 0 THEN NULL ELSE strftime('%Y-%m-%d %H:%M:%S.000', '2005-05-26', '+' || i || ' minutes') END, 1 + i % 2 FROM n;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
INSERT INTO payment SELECT i, 1 + i % 599, 1 + i % 2, CASE WHEN i % 500 = 0 THEN NULL ELSE i END, CASE WHEN i % 10 = 0 THEN 0 ELSE i % 7 + 0.99 END, '2005-05-25 11:30:37.000' FROM n;
CREATE VIEW customer_list AS SELECT cu.customer_id AS ID, cu.first_name AS name, a.address AS address FROM customer AS cu JOIN address AS a ON cu.address_id = a.address_id;
CREATE VIEW sales_by_store AS SELECT s.store_id, sum(p.amount) AS total FROM payment p JOIN staff s ON s.staff_id = p.staff_id GROUP BY s.store_id;
CREATE VIEW pg_films AS SELECT film_id, title FROM film f WHERE f.rating = 'PG' AND f.length IS NOT NULL;
